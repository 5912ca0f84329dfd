"""How payloads may be sent: what an encoding leaves of them, what it takes, and how true to the original it is."""

from dataclasses import dataclass
from enum import StrEnum

from policy.findings import Place


class Fidelity(StrEnum):
    """What arrives of what was sent, the least of it first: less precise numbers, the same bytes, the same message."""

    LOWERED = "lowered"
    LOSSLESS = "lossless"
    VERBATIM = "verbatim"

    @property
    def strength(self) -> int:
        """0 for `lowered`, rising."""
        return list(Fidelity).index(self)


class Prefer(StrEnum):
    """Which of the encodings that may cross a link is taken: what is there first, or what costs the least to send."""

    SOONEST = "soonest"
    CHEAPEST = "cheapest"


@dataclass(frozen=True, slots=True)
class Encoding:
    """A way to send the input of one call in `payload_bytes`; `format` names it.

    It takes `time_us`, to encode and to decode, and takes `loses_ppm` from the accuracy of whatever variant answers.
    """

    format: str
    fidelity: Fidelity
    payload_bytes: int
    time_us: int
    loses_ppm: int
    place: Place
