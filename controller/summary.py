"""A decision as people and programs read it: what changes, what it promises and costs, and why."""

from dataclasses import dataclass
from datetime import datetime

from controller.actions import SetLoad, SetRoutes, Unload, Wave
from controller.decision import Decision, Forecast, PredictionError, Proof, Reason, Verdict
from controller.fleet import Fleet, Load, RouteSet
from controller.planning.diff import Change, diff
from policy.findings import Finding
from rules.kernel.plan import Degraded, Unserved


@dataclass(frozen=True, slots=True)
class Unloaded:
    """A placement that a server no longer holds; the server as a `Load` names it."""

    model: str
    variant: str
    pool: str
    node: str


@dataclass(frozen=True, slots=True)
class Step:
    """One wave of a transition: what is loaded or given another count, what is unloaded, and which routes are set.

    It is predicted to take `duration_us`.
    """

    name: str
    loads: tuple[Load, ...]
    unloads: tuple[Unloaded, ...]
    routes: tuple[RouteSet, ...]
    duration_us: int


@dataclass(frozen=True, slots=True)
class Promise:
    """What is predicted of one demand: a `Forecast`, with None for a latency that nobody sees as nothing is served.

    `first_p99_us` is None as well where no objective speaks of the first response.
    """

    service: str
    origin: str
    rate_milli_rps: int
    p50_us: int | None
    p95_us: int | None
    p99_us: int | None
    served_permille: int
    first_p99_us: int | None


@dataclass(frozen=True, slots=True)
class Summary:
    """A decision without what only the loop needs.

    `policy_commit` is the git commit of the policy, empty where it is not from one. `steps` are done in order and are
    predicted to take `transition_us`. `links_millicents_per_hour` is the links' part of the cost. Nothing is planned
    for the services that are `asleep`.
    """

    decision: str
    at: datetime
    policy_revision: str
    verdict: Verdict
    proof: Proof
    cost_millicents_per_hour: int
    links_millicents_per_hour: int
    valid_until: datetime | None
    steps: tuple[Step, ...]
    transition_us: int
    fleet: Fleet
    forecasts: tuple[Promise, ...]
    errors: tuple[PredictionError, ...]
    reasons: tuple[Reason, ...]
    unserved: tuple[Unserved, ...]
    degraded: tuple[Degraded, ...]
    findings: tuple[Finding, ...]
    policy_commit: str = ""
    asleep: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Proposal:
    """A plan with what it would change of the fleet that it is compared with."""

    changes: tuple[Change, ...]
    plan: Summary


def propose(decision: Decision, current: Fleet, commit: str = "") -> Proposal:
    """The decision as a change of `current`; `commit` is that of its policy."""
    return Proposal(diff(current, decision.fleet), summarise(decision, commit))


def summarise(decision: Decision, commit: str = "") -> Summary:
    """The decision without its memory; `commit` is that of its policy."""
    return Summary(
        decision=decision.id,
        at=decision.at,
        policy_revision=decision.policy_revision,
        verdict=decision.verdict,
        proof=decision.proof,
        cost_millicents_per_hour=decision.cost_millicents_per_hour,
        links_millicents_per_hour=decision.links_millicents_per_hour,
        valid_until=decision.valid_until,
        steps=tuple(_step(wave) for wave in decision.transition.waves),
        transition_us=decision.transition.duration_us,
        fleet=decision.fleet,
        forecasts=tuple(map(_promise, decision.forecasts)),
        errors=decision.errors,
        reasons=decision.reasons,
        unserved=decision.plan.unserved,
        degraded=decision.plan.degraded,
        findings=decision.findings,
        policy_commit=commit,
        asleep=decision.state.asleep,
    )


def _promise(forecast: Forecast) -> Promise:
    served = forecast.served_permille > 0
    return Promise(
        forecast.service,
        forecast.origin,
        forecast.rate_milli_rps,
        forecast.p50_us if served else None,
        forecast.p95_us if served else None,
        forecast.p99_us if served else None,
        forecast.served_permille,
        (forecast.first_p99_us or None) if served else None,
    )


def _unloaded(action: Unload) -> Unloaded:
    placement = action.placement
    return Unloaded(placement.model, placement.variant, placement.pool, action.node)


def _step(wave: Wave) -> Step:
    return Step(
        wave.name,
        tuple(action.load for action in wave.actions if isinstance(action, SetLoad)),
        tuple(_unloaded(action) for action in wave.actions if isinstance(action, Unload)),
        tuple(routes for action in wave.actions if isinstance(action, SetRoutes) for routes in action.routes),
        wave.duration_us,
    )
