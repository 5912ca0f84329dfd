"""A DeviceProfile document of what was measured."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import yaml
from pydantic import ValidationError

from controller.profiling.measured import Progress
from policy.documents.base import Metadata
from policy.documents.device_profile import DeviceProfileSpec

WHOLE_PERMILLE: Final = 1000
ASSUMED_LOAD_US: Final = 30_000_000


class DocumentError(Exception):
    """No valid document can be made; the message says which value is wrong, and what it should be."""


@dataclass(frozen=True, slots=True)
class Profiled:
    """A variant on a device: service times by rising batch; what could not be measured is None.

    `notes` say how the figures came about, for whoever reads the document.
    """

    model: str
    variant: str
    service_us: tuple[tuple[int, float], ...]
    share_permille: int | None = None
    load_us: int | None = None
    notes: tuple[str, ...] = ()


def profiled(model: str, variant: str, progress: Progress) -> Profiled:
    """What the points say of a variant.

    An instance's share is what one instance answers over what as many as were tried answer: the device is then full, or
    would hold more, so that the true share is this or smaller.
    """
    rates = [point.answered_rps for point in progress.instances]
    share = math.ceil(WHOLE_PERMILLE * rates[0] / max(rates)) if rates else None
    load_us = progress.instances[0].load_us if progress.instances else None
    service_us = tuple((point.batch, point.mean_us) for point in progress.batches)
    return Profiled(model, variant, service_us, share, load_us, (*_memory(progress), *progress.notes))


def document(device: str, variants: Sequence[Profiled]) -> str:
    """The YAML text, with what is assumed or worth knowing as comments on top. Raises DocumentError."""
    spec = {"variants": [_variant(item) for item in variants]}
    try:
        Metadata.model_validate({"name": device})
        DeviceProfileSpec.model_validate(spec)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise DocumentError(f"{where}: {first['msg']}") from error
    whole = {
        "apiVersion": "gridwright.dev/v1alpha1",
        "kind": "DeviceProfile",
        "metadata": {"name": device},
        "spec": spec,
    }
    comments = [f"# {line}\n" for item in variants for line in _comments(item)]
    return "".join(comments) + yaml.safe_dump(whole, sort_keys=False, width=120)


def _variant(item: Profiled) -> dict[str, Any]:
    return {
        "model": item.model,
        "variant": item.variant,
        "serviceTime": list(_rising(item.service_us)),
        "share": f"{(item.share_permille or WHOLE_PERMILLE) / 10:g}%",
        "load": f"{math.ceil((item.load_us or ASSUMED_LOAD_US) / 1000)}ms",
    }


def _rising(service_us: Sequence[tuple[int, float]]) -> Iterable[dict[str, Any]]:
    """A larger batch takes no less time; where it was measured as less, that is noise."""
    highest_us = 1
    for batch, time_us in service_us:
        highest_us = max(highest_us, round(time_us))
        yield {"batch": batch, "time": f"{highest_us}us"}


def _comments(item: Profiled) -> Iterable[str]:
    name = f"{item.model}/{item.variant}"
    if item.share_permille is None:
        yield f"{name}: share assumed, as if an instance took the whole device; it was not measured"
    if item.load_us is None:
        yield f"{name}: load assumed; it was not measured"
    yield from (f"{name}: {note}" for note in item.notes)


def _memory(progress: Progress) -> Iterable[str]:
    told = [(point.batch, point.memory_mib) for point in progress.batches if point.memory_mib is not None]
    if not told:
        return ["memory unknown: the server's metrics name no GPU, or were not given"]
    return [f"memory in use on the devices, by batch: {', '.join(f'{batch}: {mib}MiB' for batch, mib in told)}"]
