"""What a PolicyTest states: events and expectations, every reference a name, every quantity an integer.

Tests are no part of the policy in force. Each event and each expectation keeps its `Place`.
"""

from dataclasses import dataclass
from datetime import datetime

from policy.findings import Place
from policy.resolved import Egress, Encryption


@dataclass(frozen=True, slots=True)
class SiteLost:
    """No server of the site answers any more; what its origin asks for goes on being asked."""

    site: str
    place: Place


@dataclass(frozen=True, slots=True)
class NodesLost:
    """So many nodes of a pool, the last ones, are gone."""

    pool: str
    nodes: int
    place: Place


@dataclass(frozen=True, slots=True)
class EvidenceEnds:
    """What a subject (`site`, `pool` or `model`) holds of a standard, or of any where that is empty, is withdrawn."""

    subject_kind: str
    subject: str
    standard: str
    place: Place


@dataclass(frozen=True, slots=True)
class TimePasses:
    """Nothing else happens for so many seconds."""

    seconds: int
    place: Place


@dataclass(frozen=True, slots=True)
class DemandBecomes:
    """The rate of a service, over all its origins or of one; or a factor on the present rates where that is given.

    An empty `service` or `origin` means all of them.
    """

    service: str
    origin: str
    milli_rps: int
    factor_permille: int | None
    place: Place


@dataclass(frozen=True, slots=True)
class LinkLost:
    """Nothing joins the two sites any more."""

    a: str
    b: str
    place: Place


@dataclass(frozen=True, slots=True)
class LinkChanges:
    """How the link between two sites is from now on; what is None stays, as does what leaving another site costs.

    `compressions` and `precisions` are the encodings that it admits, either both or none of them None.
    """

    a: str
    b: str
    rtt_us: int | None
    jitter_us: int | None
    bandwidth_kbps: int | None
    encryption: Encryption | None
    place: Place
    egress: tuple[Egress, ...] = ()
    compressions: tuple[str, ...] | None = None
    precisions: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class PriceChanges:
    """What a node of the pool costs from now on."""

    pool: str
    millicents_per_hour: int
    place: Place


@dataclass(frozen=True, slots=True)
class Added:
    """A text with documents that come into the policy."""

    text: str
    place: Place


@dataclass(frozen=True, slots=True)
class Removed:
    """A document that leaves the policy."""

    kind: str
    name: str
    place: Place


Event = (
    SiteLost
    | NodesLost
    | EvidenceEnds
    | TimePasses
    | DemandBecomes
    | LinkLost
    | LinkChanges
    | PriceChanges
    | Added
    | Removed
)


@dataclass(frozen=True, slots=True)
class Where:
    """A service, or one stage of it where `stage` is not empty; and pools, by name or by their site."""

    service: str
    stage: str
    sites: tuple[str, ...]
    pools: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunsOnly:
    """It is served, and nowhere else."""

    where: Where
    place: Place


@dataclass(frozen=True, slots=True)
class RunsNowhere:
    """None of a service is served, and no instance stands of the models that nothing else calls."""

    service: str
    place: Place


@dataclass(frozen=True, slots=True)
class NeverOn:
    """None of it is served there, in any turn of the step."""

    where: Where
    place: Place


@dataclass(frozen=True, slots=True)
class Allowed:
    """No rule keeps it from any of these pools that has a profile of its model."""

    where: Where
    place: Place


@dataclass(frozen=True, slots=True)
class Barred:
    """Something keeps it from each of these pools; a clause of the ComplianceProfile `by` where that is not empty."""

    where: Where
    by: str
    place: Place


@dataclass(frozen=True, slots=True)
class Served:
    """At least this share is served, of each origin's requests or of one origin's."""

    service: str
    origin: str
    at_least_permille: int
    place: Place


@dataclass(frozen=True, slots=True)
class TailBelow:
    """The predicted 99th percentile is at most this, from each origin or from one."""

    service: str
    origin: str
    below_us: int
    place: Place


@dataclass(frozen=True, slots=True)
class Feasible:
    """Whether every service is served in full, as promised."""

    wanted: bool
    place: Place


@dataclass(frozen=True, slots=True)
class CostBelow:
    """The powered nodes, of all sites or of one, cost no more an hour."""

    millicents_per_hour: int
    site: str
    place: Place


@dataclass(frozen=True, slots=True)
class Replicas:
    """No fewer and no more instances of a model run, at all sites or at one."""

    model: str
    site: str
    minimum: int
    maximum: int
    place: Place


@dataclass(frozen=True, slots=True)
class Found:
    """A finding of that id, about anything or about a service, is there; or is not, where it is not `wanted`."""

    id: str
    service: str
    wanted: bool
    place: Place


@dataclass(frozen=True, slots=True)
class Unchanged:
    """Every stage of these services goes on being served by the same variants on the same pools."""

    services: tuple[str, ...]
    place: Place


Expectation = (
    RunsOnly
    | RunsNowhere
    | NeverOn
    | Allowed
    | Barred
    | Served
    | TailBelow
    | Feasible
    | CostBelow
    | Replicas
    | Found
    | Unchanged
)


@dataclass(frozen=True, slots=True)
class Step:
    """What happens, and what is expected once the fleet rests again."""

    events: tuple[Event, ...]
    expectations: tuple[Expectation, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class PolicyTest:
    """A test; `at` is the instant (UTC) at which it begins."""

    name: str
    at: datetime
    steps: tuple[Step, ...]
    place: Place
