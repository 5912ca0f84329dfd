"""Models with their variants, and how fast those are on a device."""

from dataclasses import dataclass

from policy.findings import Place


@dataclass(frozen=True, slots=True)
class Variant:
    """One artefact of a model. `accuracy_ppm` is parts per million of a perfect score."""

    name: str
    digest: str
    precision: str
    memory_mib: int
    accuracy_ppm: int
    place: Place


@dataclass(frozen=True, slots=True)
class Model:
    """A model and its variants, the preferred one first."""

    name: str
    variants: tuple[Variant, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class VariantProfile:
    """How one variant behaves on one device.

    `service_us` holds (batch size, time to serve that batch in us), by rising batch size. `share_permille` is the part
    of the device's compute that one instance takes. `first_us` is, like `service_us`, the time until the first
    responses of a batch leave; empty where each request has one response, which leaves at the end.
    """

    model: str
    variant: str
    service_us: tuple[tuple[int, int], ...]
    share_permille: int
    load_us: int
    place: Place
    first_us: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class DeviceProfile:
    """The profiles of the variants that may run on a device."""

    device: str
    variants: tuple[VariantProfile, ...]
    place: Place
