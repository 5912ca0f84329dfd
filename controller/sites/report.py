"""What a site tells of itself, packed, and how much of that it may send.

Readings have the shape that collectors give. Instants are of the site's clock: whoever reads a report takes ages from
them, by the report's own `at`, and compares no two clocks.

ReportError
"""

import gzip
import zlib
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from collectors.recording import RecordingError, decode, encode
from collectors.snapshot import Snapshot
from controller.fleet import RouteSet, Seat
from policy.findings import Finding
from rules.kernel.problem import Placement

MOST_BYTES_PER_S: Final = 20_000
"""What a site sends on average at most, packed. Nothing larger than `MOST_PACKED_BYTES` is sent at once."""
MOST_PACKED_BYTES: Final = 200_000
MOST_BYTES: Final = 2 * 1024 * 1024
"""Of a report, once unpacked."""


class ReportError(Exception):
    """A report that cannot be taken. The message tells why."""


class Phase(StrEnum):
    """How a site stands with the controller."""

    CONNECTED = "connected"
    CUT_OFF = "cut off"
    RECONCILING = "reconciling"


class Measure(StrEnum):
    """What a sketch is of.

    `queue` and `compute` are times of a variant in a pool: its subject is (pool, model, variant). `run` is from end to
    end: its subject is (service, origin).
    """

    QUEUE = "queue"
    COMPUTE = "compute"
    RUN = "run"


@dataclass(frozen=True, slots=True)
class Sketch:
    """Times in us that were observed from `since` on for `window_s` seconds, as a serialised `req_ints_sketch`.

    `count` is how many requests they stand for; more than were observed where only a sample was.
    """

    measure: Measure
    subject: tuple[str, ...]
    since: datetime
    window_s: float
    count: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Refused:
    """A plan that the site did not take up, or could not bring about, and why.

    `hung` is the seat whose server took a call and did not answer, if that is why. `seats` are those that this holds
    of, None standing for routes; it holds of all of the plan where there are none.
    """

    generation: int
    reason: str
    hung: Seat | None = None
    seats: tuple[Seat | None, ...] = ()

    def is_of(self, seat: Seat | None) -> bool:
        """Whether it holds of a seat, or of routes."""
        return not self.seats or seat in self.seats


class Cause(StrEnum):
    """Why a site has something else than its plan says."""

    SCALED = "scaled"
    ENDED = "ended"
    NO_ROOM = "no room"
    FALLBACK = "fallback"


@dataclass(frozen=True, slots=True)
class Deviation:
    """A load that has `chosen` instances instead of `planned`; without a placement, a demand on its fallback."""

    cause: Cause
    placement: Placement | None = None
    node: str = ""
    planned: int = 0
    chosen: int = 0
    service: str = ""
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What a site tells at `at`.

    `sequence` grows with each report of a site, also when its agent starts anew. `generation` is that of the plan that
    was brought about last, 0 before the first; `refused` the newest that was not. `cut_off_since` is told once more
    with the first reports after a partition. `seen` has readings of servers, counters and arrivals, and no findings;
    `routes` are those that the gateways follow, and none where they are `unread`, as one does not tell. As both were
    looked at, the plan of generation `taken_up` was in force, and nothing was under way that it does not want: what is
    as that plan has it stays so.
    """

    site: str
    sequence: int
    at: datetime
    phase: Phase
    generation: int
    seen: Snapshot
    refused: Refused | None = None
    cut_off_since: datetime | None = None
    routes: tuple[RouteSet, ...] = ()
    sketches: tuple[Sketch, ...] = ()
    deviations: tuple[Deviation, ...] = ()
    findings: tuple[Finding, ...] = ()
    taken_up: int = 0
    unread: bool = False


def packed(report: Report) -> bytes:
    """A report as it is sent: gzip over JSON. Raises ReportError when it is too large."""
    body = encode(report)
    data = gzip.compress(body, mtime=0)
    if len(body) > MOST_BYTES or len(data) > MOST_PACKED_BYTES:
        raise ReportError(f"{len(body)} bytes, packed {len(data)}: over {MOST_BYTES}, or packed {MOST_PACKED_BYTES}")
    return data


def unpacked(data: bytes) -> Report:
    """The report that was packed so. No more than `MOST_BYTES` are ever unpacked. Raises ReportError."""
    if len(data) > MOST_PACKED_BYTES:
        raise ReportError(f"{len(data)} bytes, over {MOST_PACKED_BYTES}: tell less at a time")
    inflate = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        body = inflate.decompress(data, MOST_BYTES)
    except zlib.error as error:
        raise ReportError(f"no gzip ({error})") from error
    if not inflate.eof or inflate.unused_data:
        raise ReportError(f"it is cut off, or has more than {MOST_BYTES} bytes unpacked: tell less at a time")
    try:
        return decode(body, Report)
    except RecordingError as error:
        raise ReportError(str(error)) from error


@dataclass(slots=True)
class Allowance:
    """How many bytes may be sent now: `MOST_BYTES_PER_S` for each second, and `MOST_PACKED_BYTES` saved up at most.

    Over any span it lets through no more than that many by the second, and once as much as can be saved up.
    """

    at_s: float
    bytes_left: float = field(default=MOST_PACKED_BYTES)

    def left(self, now_s: float) -> int:
        """How many there are at an instant of a clock that never goes back."""
        gained = max(0.0, now_s - self.at_s) * MOST_BYTES_PER_S
        self.at_s = max(self.at_s, now_s)
        self.bytes_left = min(MOST_PACKED_BYTES, self.bytes_left + gained)
        return int(self.bytes_left)

    def spend(self, size: int, now_s: float) -> bool:
        """Take so many bytes, if there are as many."""
        if size > self.left(now_s):
            return False
        self.bytes_left -= size
        return True
