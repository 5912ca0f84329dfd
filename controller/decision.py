"""What one turn of the loop decides, and what it remembers from turn to turn. Plain data, encodable bit for bit."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from collectors.snapshot import BatchTime
from controller.actions import Transition
from controller.fleet import Fleet, Seat
from policy.findings import Finding
from rules.kernel.plan import Plan
from rules.kernel.problem import Placement


class Verdict(StrEnum):
    """What the decision is: keep what runs, change it, or nothing allowed was found (what runs stays, if allowed)."""

    KEEP = "keep"
    CHANGE = "change"
    IMPOSSIBLE = "impossible"


class Proof(StrEnum):
    """How good the plan is known to be."""

    OPTIMAL = "optimal"
    FEASIBLE = "feasible"
    UNDECIDED = "undecided"
    INFEASIBLE = "infeasible"


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is predicted of one demand under the plan: the worst of its routes, weighed as the latency rule does.

    `first_p99_us` is until its response begins, 0 where no objective speaks of that.
    """

    service: str
    origin: str
    rate_milli_rps: int
    p50_us: int
    p95_us: int
    p99_us: int
    served_permille: int
    first_p99_us: int = 0


@dataclass(frozen=True, slots=True)
class PredictionError:
    """What the last decision predicted of a demand against what its callers have seen since."""

    service: str
    origin: str
    predicted_p99_us: int
    observed_p99_us: int
    observations: int


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a placement is in the plan: which demands' stages it serves."""

    placement: Placement
    instances: int
    serves: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Started:
    """When a placement was last given more instances."""

    placement: Placement
    at: datetime


@dataclass(frozen=True, slots=True)
class KnownRate:
    """The last trustworthy rate of a demand, to hold on to while readings are stale."""

    service: str
    origin: str
    milli_rps: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Peak:
    """What a demand was planned for at an instant, with nothing higher since: kept while it counts."""

    service: str
    origin: str
    milli_rps: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Silence:
    """Since when no request of a demand came, and until when that is known; the same instant after a request."""

    service: str
    origin: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class LearntTimes:
    """What was counted of a variant on a device, less what neighbours added, and the s(1), s(2), … in us in use."""

    model: str
    variant: str
    device: str
    counted: tuple[BatchTime, ...] = ()
    used_us: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Effect:
    """What a neighbour's computing adds to a variant's times, in permille of them for each of its busy instances.

    Up to `seen_permille` busy instances, which is what there were on average while the times were counted, it is
    `least_permille`; beyond, `most_permille`.
    """

    model: str
    variant: str
    seen_permille: int
    least_permille: int
    most_permille: int


@dataclass(frozen=True, slots=True)
class Interference:
    """What was counted of a variant on a device beside others, and what plans use of it.

    `sums` is the lower triangle of the sum of z z' over windows, newer ones weighing more, for z = (1, the busy
    instances of each of `beside` as (model, variant), the time taken relative to the profile's).
    """

    model: str
    variant: str
    device: str
    beside: tuple[tuple[str, str], ...] = ()
    sums: tuple[float, ...] = (0.0, 0.0, 0.0)
    used: tuple[Effect, ...] = ()


@dataclass(frozen=True, slots=True)
class Crowding:
    """How many times longer a placement's executions are taken to be than alone when plans are priced, in permille."""

    placement: Placement
    permille: int


@dataclass(frozen=True, slots=True)
class Margin:
    """What a demand's predicted latency is multiplied by to hold in most windows: as tracked, and as plans use it."""

    service: str
    origin: str
    permille: int = 1000
    used_permille: int = 1000


@dataclass(frozen=True, slots=True)
class KnownBurst:
    """How far a demand's rate swings around its mean and for how long at a time: as tracked, and as plans use it."""

    service: str
    origin: str
    depth_permille: int = 0
    sojourn_us: int = 0
    used_depth_permille: int = 0
    used_sojourn_us: int = 0


@dataclass(frozen=True, slots=True)
class Hung:
    """A seat whose server took a call and did not answer: since when, `times` in a row, the last one at `at`.

    `wanted` is what was asked for last, and `shown` what the server showed of the seat when it was last looked at,
    empty before; both as `controller.planning.hung` words them. `changed`: that is something else than after the wait.
    `instances` are the most that were asked for since. One that was waited for no `times` was given up, and may come.
    """

    placement: Placement
    node: str
    since: datetime
    at: datetime
    times: int
    wanted: str
    shown: str = ""
    changed: bool = False
    instances: int = 0

    @property
    def seat(self) -> Seat:
        """The placement, and the server by its node."""
        return self.placement, self.node


@dataclass(frozen=True, slots=True)
class SetBack:
    """That the clock was found to have been set back, at an instant by the clock since, and by how much about."""

    at: datetime
    by_s: int


@dataclass(frozen=True, slots=True)
class State:
    """What the loop remembers. `fleet` is what was last brought about, `plan` what it was derived from.

    `forecasts` are of the last plan that was found, and tell the rates that it was made for: what stays where none is
    found was not made for the rates of then, and nobody has more by it.
    `rest_since` is when the fleet last came to rest: every turn since kept what ran.
    `proposal` is a plan that was found while the fleet was at rest, to be weighed in the next turn.
    `conflict` is the digest of the last question why not everything can be served, with its answer; `settled` that of
    the last problem whose best plan was the running one. `left_open` is None where a turn answers such a question
    itself; else it is the digest of the one that a turn of a large fleet left to be answered once it acted, or empty.
    `silences` are of services that may scale to zero; those that have are `asleep`.
    `hung` are seats whose servers hang, and `set_back` is when the clock was, lately.
    `is_late`: the last transition was given up while it was under way, as it took too long for what requests go over.
    """

    plan: Plan = field(default_factory=Plan)
    fleet: Fleet = field(default_factory=Fleet)
    started: tuple[Started, ...] = ()
    rates: tuple[KnownRate, ...] = ()
    learnt: tuple[LearntTimes, ...] = ()
    margins: tuple[Margin, ...] = ()
    forecasts: tuple[Forecast, ...] = ()
    conflict: tuple[str, tuple[Finding, ...]] | None = None
    settled: str = ""
    rest_since: datetime | None = None
    turn: int = 0
    bursts: tuple[KnownBurst, ...] = ()
    interference: tuple[Interference, ...] = ()
    crowding: tuple[Crowding, ...] = ()
    proposal: Plan | None = None
    peaks: tuple[Peak, ...] = ()
    silences: tuple[Silence, ...] = ()
    asleep: tuple[str, ...] = ()
    hung: tuple[Hung, ...] = ()
    set_back: SetBack | None = None
    left_open: str | None = None
    is_late: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision, whole: the plan, the way to it, why, and what to remember when it has been carried out.

    `cost_millicents_per_hour` is what powered nodes and links cost, `links_millicents_per_hour` the links' part of it.
    `valid_until` is when the first evidence behind the plan ends, or evidence against it begins; None without any.
    """

    id: str
    at: datetime
    policy_revision: str
    verdict: Verdict
    proof: Proof
    plan: Plan
    fleet: Fleet
    transition: Transition
    forecasts: tuple[Forecast, ...]
    errors: tuple[PredictionError, ...]
    reasons: tuple[Reason, ...]
    findings: tuple[Finding, ...]
    cost_millicents_per_hour: int
    links_millicents_per_hour: int
    valid_until: datetime | None
    state: State

    @property
    def acts(self) -> bool:
        """Whether there is anything to do. Also where no plan was found, what may no longer serve is taken away."""
        return bool(self.transition.waves)
