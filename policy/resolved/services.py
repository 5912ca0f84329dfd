"""Services: stages, where requests come from, where stages may stand, and what is promised."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from policy.clauses import ComplianceProfile
from policy.data_flow import NO_DATA, Data, Reads, data
from policy.findings import Place
from policy.resolved.encodings import Encoding, Prefer
from policy.resolved.fleet import Pool
from policy.resolved.objectives import (
    AccuracyObjective,
    AvailabilityObjective,
    CostObjective,
    DegradeStep,
    LatencyObjective,
    ThroughputObjective,
)

WHOLE_PERMILLE: Final = 1000


class Orchestration(StrEnum):
    """Who calls the stages: the origin (each stage is a hop out and back), or each stage the next."""

    ORIGIN = "origin"


@dataclass(frozen=True, slots=True)
class Removal:
    """Data that a stage reads and its output does not carry on, once one of `verifiers` vouches for it.

    They are names of Issuers, any for (), and have to vouch for each variant of the stage's model.
    """

    data: Data
    verifiers: tuple[str, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Stage:
    """One model call of a service. `fanout` calls are made for each request, all at once.

    The input of one is of `payload_bytes`, and crosses links as it is or in one of `encodings`: that which it prefers.
    """

    name: str
    model: str
    after: tuple[str, ...]
    fanout: int
    payload_bytes: int
    place: Place
    reads: Reads = Reads.EVERYTHING
    adds: Data = NO_DATA
    removes: Removal | None = None
    encodings: tuple[Encoding, ...] = ()
    prefer: Prefer = Prefer.SOONEST

    def encoding(self, name: str) -> Encoding | None:
        """The encoding of that format; None when there is none."""
        return next((each for each in self.encodings if each.format == name), None)

    def sent_bytes(self, name: str) -> int:
        """The bytes of the inputs of all calls of a request in an encoding; as they are for an empty name."""
        encoding = self.encoding(name)
        return self.fanout * (encoding.payload_bytes if encoding else self.payload_bytes)


@dataclass(frozen=True, slots=True)
class Origin:
    """A site that requests come from, with its share of the service's requests."""

    site: str
    share_permille: int
    place: Place


class Within(StrEnum):
    """What stages that stand together have in common."""

    SITE = "site"
    RACK = "rack"
    POOL = "pool"
    NODE = "node"


@dataclass(frozen=True, slots=True)
class PoolsClause:
    """The pools that stages are kept to, or, with `is_barred`, kept from.

    They fit in all respects of which something is said: at one of `sites`, one of `pools`, with one of `devices`.
    `stages` are the stages that are meant, all of them when it is empty.
    """

    sites: tuple[str, ...]
    pools: tuple[str, ...]
    devices: tuple[str, ...]
    stages: tuple[str, ...]
    is_barred: bool
    place: Place

    def admits(self, pool: Pool) -> bool:
        """Whether a stage that is meant may run in the pool."""
        asked = ((self.sites, pool.site), (self.pools, pool.name), (self.devices, pool.device))
        return all(not names or name in names for names, name in asked) != self.is_barred


@dataclass(frozen=True, slots=True)
class TogetherClause:
    """Stages of which each request uses instances of one site, or of one pool.

    In one rack, or on one node, is asked of all instances that a site has for them: requests go to whichever it has.
    """

    stages: tuple[str, ...]
    within: Within
    place: Place

    @property
    def where(self) -> str:
        """In words: `on one node`."""
        return {
            Within.SITE: "at one site",
            Within.RACK: "in one rack",
            Within.POOL: "in one pool",
            Within.NODE: "on one node",
        }[self.within]


@dataclass(frozen=True, slots=True)
class ScaleToZero:
    """Nothing has to stand once no request came for `after_s`; the first one can be answered `wake_up_us` later."""

    after_s: int
    wake_up_us: int
    place: Place


@dataclass(frozen=True, slots=True)
class NeverPreempts:
    """No other gives up what it has for what the service lacks: it waits until there is room."""

    place: Place


@dataclass(frozen=True, slots=True)
class Service:
    """A DAG of model calls with what it promises.

    `expected_rate_milli_rps` is the request rate over all origins that is planned for while nothing has been measured.
    `compliance` is what it asks for itself, which is among the policy's profiles, too.
    """

    name: str
    labels: tuple[tuple[str, str], ...]
    data_classes: tuple[str, ...]
    data_subjects: tuple[str, ...]
    orchestration: Orchestration
    origins: tuple[Origin, ...]
    stages: tuple[Stage, ...]
    expected_rate_milli_rps: int
    latency: tuple[LatencyObjective, ...]
    availability: AvailabilityObjective | None
    accuracy: AccuracyObjective | None
    degrade: tuple[DegradeStep, ...]
    priority: int
    place: Place
    pools: tuple[PoolsClause, ...] = ()
    together: tuple[TogetherClause, ...] = ()
    throughput: tuple[ThroughputObjective, ...] = ()
    cost: CostObjective | None = None
    team: str = ""
    compliance: ComplianceProfile | None = None
    preemption: NeverPreempts | None = None
    scale_to_zero: ScaleToZero | None = None

    @property
    def requested(self) -> Data:
        """What its requests carry."""
        return data(self.data_classes, self.data_subjects)

    @property
    def carried(self) -> Data:
        """What any of its stages may handle, whatever is removed on the way."""
        return self.requested.union(*(stage.adds for stage in self.stages))

    @property
    def waits(self) -> bool:
        """Whether it waits until there is room, and takes nothing from others."""
        return self.preemption is not None

    @property
    def survives_any_site(self) -> bool:
        """Whether its objectives are met with whichever one site is lost."""
        return self.availability is not None and self.availability.survives_any_site

    def latency_from(self, origin: str) -> tuple[LatencyObjective, ...]:
        """The objectives of requests from a site."""
        return tuple(objective for objective in self.latency if objective.origin in ("", origin))

    def end_to_end_from(self, origin: str) -> tuple[LatencyObjective, ...]:
        """Those of them that speak of no single stage."""
        return tuple(objective for objective in self.latency_from(origin) if not objective.stage)
