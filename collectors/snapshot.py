"""A snapshot: everything observed at one instant. A reading that is stale or missing says so; it is never a zero."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Generic, TypeVar

from collectors.burstiness import Burstiness
from collectors.evidence.records import Evidence
from policy.findings import Finding

Value = TypeVar("Value")


class Freshness(StrEnum):
    """How far a reading may be trusted."""

    FRESH = "fresh"
    STALE = "stale"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Reading(Generic[Value]):
    """A value with the instant it was true at and the source that told it; both None when nothing was ever read."""

    value: Value | None
    at: datetime | None
    source: str

    def freshness(self, now: datetime, stale_after: timedelta) -> Freshness:
        """MISSING without a value, STALE when it is older than `stale_after`, or as far ahead: a clock was set back."""
        if self.value is None or self.at is None:
            return Freshness.MISSING
        return Freshness.STALE if abs(now - self.at) > stale_after else Freshness.FRESH

    def fresh(self, now: datetime, stale_after: timedelta) -> Value | None:
        """The value when it is fresh, else None."""
        return self.value if self.freshness(now, stale_after) is Freshness.FRESH else None


class ModelState(StrEnum):
    """What a server says of a model: `LOADING` is on its way to be there, or not to be."""

    READY = "ready"
    LOADING = "loading"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True, order=True)
class QueueLevel:
    """How requests of one priority wait: at most `limit` of them, 0 for any number, and 0 or `timeout_us` at most.

    Those that waited so long are refused, or put off behind the others of their level.
    """

    timeout_us: int = 0
    puts_off: bool = False
    limit: int = 0


@dataclass(frozen=True, slots=True, order=True)
class LoadedModel:
    """A variant on a server, with the setting that the server reports.

    `levels` has its priorities, the first served first, and is empty where it has no priorities and no queue policy;
    requests that ask for none have the one numbered `level`, from 1. At most `at_once` instances execute, 0 for all.
    """

    model: str
    variant: str
    state: ModelState
    instances: int
    max_batch: int
    queue_delay_us: int
    levels: tuple[QueueLevel, ...] = ()
    level: int = 1
    at_once: int = 0


def server_name(pool: str, node: str) -> str:
    """A server among all others: its pool, with its node where each node has one."""
    return f"{pool}/{node}" if node else pool


@dataclass(frozen=True, slots=True)
class ServerState:
    """What a Triton server holds."""

    models: tuple[LoadedModel, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing is loaded, nor on its way to be or not to be."""
        return all(model.state is ModelState.UNAVAILABLE for model in self.models)


@dataclass(frozen=True, slots=True)
class Server:
    """The server of a node, or of all nodes of a pool where none is named; missing while it does not answer."""

    pool: str
    reading: Reading[ServerState]
    node: str = ""

    @property
    def name(self) -> str:
        """What it is called among all servers."""
        return server_name(self.pool, self.node)


@dataclass(frozen=True, slots=True)
class Rate:
    """Requests that arrived over the last `window_s` seconds."""

    milli_rps: int
    count: int
    window_s: float


@dataclass(frozen=True, slots=True)
class Offered:
    """What arrived at an origin for a service, whether or not it was answered."""

    service: str
    origin: str
    reading: Reading[Rate]


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Quantiles in us of `count` observations.

    Where only a sample was observed, `count` is the estimated number of all, and `sampled` how many were observed.
    """

    count: int
    p50_us: int
    p95_us: int
    p99_us: int
    sampled: int | None = None


@dataclass(frozen=True, slots=True)
class Latency:
    """End-to-end latency of a service from an origin, as its callers' spans tell it.

    `errors` are the runs of the same window that ended in an error; they are not among the reading's. Of a sample, they
    are estimated as its `count` is.
    """

    service: str
    origin: str
    reading: Reading[Quantiles]
    errors: int = 0


@dataclass(frozen=True, slots=True)
class Arrivals:
    """How bursty a service's requests come from an origin, as its callers' spans tell it."""

    service: str
    origin: str
    reading: Reading[Burstiness]


@dataclass(frozen=True, slots=True)
class StageWork:
    """One variant's work on a server over a window, from its counters. Times are sums over requests."""

    window_s: float
    requests: int
    failures: int
    executions: int
    queue_us: int
    compute_us: int
    pending: int


@dataclass(frozen=True, slots=True)
class StageTimes:
    """Queue and compute time by request, from traces."""

    queue: Quantiles
    compute: Quantiles


@dataclass(frozen=True, slots=True)
class Work:
    """What a variant does on a server: counters, and times where it is traced.

    Of a pool with a server on each node, counters are by `node`, and times of all its nodes together, without one.
    """

    pool: str
    model: str
    variant: str
    counters: Reading[StageWork]
    times: Reading[StageTimes]
    node: str = ""


@dataclass(frozen=True, slots=True, order=True)
class BatchTime:
    """Executions of one batch size, and the time in us that they took together."""

    batch: int
    executions: int
    total_us: int


@dataclass(frozen=True, slots=True)
class Batches:
    """What a variant's executions on a server took since the server was last asked, by batch size.

    That was `window_s` seconds before; 0 where it was not noted. The server is told as a `Server` tells it.
    """

    pool: str
    model: str
    variant: str
    reading: Reading[tuple[BatchTime, ...]]
    window_s: float = 0.0
    node: str = ""


@dataclass(frozen=True, slots=True)
class Foreseen:
    """Quantiles of the rate over the minute that ends in `horizon_s` seconds."""

    p50_milli_rps: int
    p90_milli_rps: int
    p99_milli_rps: int
    horizon_s: int


@dataclass(frozen=True, slots=True)
class Expected:
    """What will probably arrive at an origin for a service."""

    service: str
    origin: str
    reading: Reading[Foreseen]


class Presence(StrEnum):
    """What a cluster tells of the server of a node."""

    NONE = "none"
    STARTING = "starting"
    READY = "ready"


@dataclass(frozen=True, slots=True)
class InventoryNode:
    """A node as a cluster tells of it. `against` has why nothing may be placed on it now; empty where it may.

    `rack` is empty where the cluster does not tell it, and `zone` likewise. A node that is not ready takes nothing new,
    and what its `server` holds counts as long as that answers. `since` is when it joined: what was seen of a machine of
    its name before then was another one.
    """

    name: str
    rack: str = ""
    zone: str = ""
    against: tuple[str, ...] = ()
    is_ready: bool = True
    server: Presence = Presence.NONE
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Inventory:
    """The nodes that a cluster has of a pool, by name; missing where the cluster was never listed.

    A value that is old still counts: nodes change seldom, and whether their servers answer is another reading.
    """

    pool: str
    reading: Reading[tuple[InventoryNode, ...]]


@dataclass(frozen=True, slots=True)
class CutOff:
    """A site that nothing was heard of since then, and that goes on by itself with the last plan that it has.

    Of the requests that come from it, other sites still get what the plan sends there: `away` has it by service, in
    permille. The rest is the site's own business.
    """

    site: str
    since: datetime
    away: tuple[tuple[str, int], ...] = ()

    def away_permille(self, service: str) -> int:
        """The share of a service's requests that other sites may still get."""
        return dict(self.away).get(service, 0)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything observed at `at`. Order carries no meaning.

    `stuck` are sites that tell of themselves and bring nothing about that they are told.
    """

    at: datetime
    servers: tuple[Server, ...] = ()
    offered: tuple[Offered, ...] = ()
    latency: tuple[Latency, ...] = ()
    work: tuple[Work, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    findings: tuple[Finding, ...] = ()
    batches: tuple[Batches, ...] = ()
    expected: tuple[Expected, ...] = ()
    arrivals: tuple[Arrivals, ...] = ()
    inventory: tuple[Inventory, ...] = ()
    cut_off: tuple[CutOff, ...] = ()
    stuck: tuple[str, ...] = ()

    def server(self, pool: str, node: str = "") -> Reading[ServerState]:
        """The server of a node, or of the whole pool; a missing reading when nobody looked."""
        found = (item.reading for item in self.servers if (item.pool, item.node) == (pool, node))
        return next(found, Reading(None, None, "none"))

    def expected_rate(self, service: str, origin: str) -> Reading[Foreseen]:
        """What will probably arrive; a missing reading when nobody foresaw anything."""
        for item in self.expected:
            if (item.service, item.origin) == (service, origin):
                return item.reading
        return Reading(None, None, "none")

    def offered_rate(self, service: str, origin: str) -> Reading[Rate]:
        """What arrived; a missing reading when nobody looked."""
        for item in self.offered:
            if (item.service, item.origin) == (service, origin):
                return item.reading
        return Reading(None, None, "none")


def merge(at: datetime, parts: Iterable[Snapshot]) -> Snapshot:
    """One snapshot of what several collectors saw; each collector owns its kind of reading.

    Counters and traces tell of the same work: their halves become one `Work`, in which a reading with a value stands
    before one without.
    """
    seen = tuple(parts)
    return Snapshot(
        at,
        servers=tuple(each for part in seen for each in part.servers),
        offered=tuple(each for part in seen for each in part.offered),
        latency=tuple(each for part in seen for each in part.latency),
        work=_joined(each for part in seen for each in part.work),
        evidence=tuple(each for part in seen for each in part.evidence),
        findings=tuple(each for part in seen for each in part.findings),
        batches=tuple(each for part in seen for each in part.batches),
        expected=tuple(each for part in seen for each in part.expected),
        arrivals=tuple(each for part in seen for each in part.arrivals),
        inventory=tuple(each for part in seen for each in part.inventory),
        cut_off=tuple(each for part in seen for each in part.cut_off),
        stuck=tuple(each for part in seen for each in part.stuck),
    )


def _joined(halves: Iterable[Work]) -> tuple[Work, ...]:
    works: dict[tuple[str, str, str, str], Work] = {}
    for work in halves:
        key = (work.pool, work.model, work.variant, work.node)
        known = works.get(key, work)
        counters = work.counters if known.counters.value is None else known.counters
        times = work.times if known.times.value is None else known.times
        works[key] = replace(work, counters=counters, times=times)
    return tuple(works.values())
