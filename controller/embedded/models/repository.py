"""Model repositories in the form that Triton reads, one a site, with links to networks built once for the fleet."""

import json
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from controller.embedded.errors import PartFailedError, PartMissingError
from controller.embedded.models.catalogue import NETWORKS, PRECISIONS, NetworkSpec, TensorSpec, network

SERVED = Path(__file__).parent / "served"
HALVE = Path(__file__).parent / "half_precision.py"
BUILD_TIMEOUT_S = 60

Pace = tuple[tuple[int, int], ...]
"""Service time by batch: (batch, microseconds), batches rising. Empty: as fast as this machine can."""


@dataclass(frozen=True, slots=True)
class ServedVariant:
    """A variant as a site first offers it. Each load may override instances and batching."""

    model: str
    variant: str
    pace_us: Pace = ()
    instances: int = 1
    max_batch: int = 4
    queue_delay_us: int = 0

    @property
    def triton_name(self) -> str:
        """Its name on the server."""
        return f"{self.model}--{self.variant}"


def build_networks(packages: Path, environment: Path, target: Path) -> None:
    """Put every network in every precision under `target` as `<model>--<variant>.onnx`; what is there stays.

    `packages` is the package folder of Triton's environment. Raises PartMissingError or PartFailedError.
    """
    target.mkdir(parents=True, exist_ok=True)
    for spec in NETWORKS:
        source = packages / spec.source
        if not source.exists():
            raise PartMissingError(f"the network {spec.source} of {spec.model} is not in {packages}: run `make setup`")
        full, half = (target / f"{spec.model}--{precision}.onnx" for precision in PRECISIONS)
        if not full.exists():
            shutil.copyfile(source, full)
        if not half.exists():
            _halve(environment, full, half)


def _halve(environment: Path, source: Path, target: Path) -> None:
    partial = target.with_suffix(".partial")
    argv = [environment / "bin" / "python", HALVE, source, partial]
    answer = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=BUILD_TIMEOUT_S)
    if answer.returncode:
        raise PartFailedError(f"{source.name} could not be stored in half precision: {answer.stderr.strip()[-500:]}")
    partial.rename(target)


def build_repository(folder: Path, networks: Path, variants: Iterable[ServedVariant]) -> None:
    """Write a site's repository: a folder a variant with its configuration, its code and its network."""
    for variant in variants:
        version = folder / variant.triton_name / "1"
        version.mkdir(parents=True, exist_ok=True)
        source = networks / f"{variant.triton_name}.onnx"
        for file in (*SERVED.glob("*.py"), source):
            link = version / file.name
            link.unlink(missing_ok=True)
            link.symlink_to(file)
        (version.parent / "config.pbtxt").write_text(_configuration(variant, source.name))


def _configuration(variant: ServedVariant, network_file: str) -> str:
    spec: NetworkSpec = network(variant.model)
    parameters = {"kind": spec.kind, "network": network_file, "pace_us": json.dumps(variant.pace_us)}
    lines = [
        'backend: "python"',
        f"max_batch_size: {variant.max_batch}",
        *(_tensor("input", item) for item in spec.inputs),
        *(_tensor("output", item) for item in spec.outputs),
        f"dynamic_batching {{ max_queue_delay_microseconds: {variant.queue_delay_us} }}",
        f"instance_group [{{ kind: KIND_CPU count: {variant.instances} }}]",
        *(
            f"parameters {{ key: {json.dumps(key)} value {{ string_value: {json.dumps(value)} }} }}"
            for key, value in parameters.items()
        ),
    ]
    return "\n".join(lines) + "\n"


def _tensor(role: str, spec: TensorSpec) -> str:
    dims = ", ".join(map(str, spec.dims))
    return f'{role} [{{ name: "{spec.name}" data_type: TYPE_{spec.data_type} dims: [{dims}] }}]'
