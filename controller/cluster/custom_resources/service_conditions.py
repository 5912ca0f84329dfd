"""What a turn says of a service: whether it can be kept, whether that stands, and whether it is seen and proven."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from collectors.snapshot import Quantiles, Snapshot
from controller.actions import Action, SetLoad, SetRoutes, Unload
from controller.cluster.custom_resources.condition import Condition, Conditions, Holds, condition
from controller.decision import Decision, Verdict
from controller.loop.status import Status
from policy.resolved import LatencyObjective, Policy, Service
from policy.schema.status import APPLIED, EVIDENCE_VALID, FEASIBLE, OBJECTIVE_MET
from policy.words import counted

OBSERVED: Final[Mapping[int, Callable[[Quantiles], int]]] = {
    5000: lambda seen: seen.p50_us,
    9500: lambda seen: seen.p95_us,
    9900: lambda seen: seen.p99_us,
}
"""What is observed of a percentile, which is in basis points."""


def of_service(service: Service | None, status: Status, now: datetime) -> Conditions:
    """The conditions of a service beside that it is accepted; unknown until it is in force and was decided on."""
    policy, decision = status.in_force.policy, status.decision
    if service is None or policy is None or decision is None:
        message = "no decision was made yet on a policy with this service"
        return tuple(
            condition(each, Holds.UNKNOWN, "Undecided", message)
            for each in (FEASIBLE, APPLIED, OBJECTIVE_MET, EVIDENCE_VALID)
        )
    return (
        _feasible(service, decision),
        _applied(service, decision, status),
        _objective_met(service, status.snapshot, policy, now),
        _evidence_valid(service, policy, decision, now),
    )


def _feasible(service: Service, decision: Decision) -> Condition:
    if decision.verdict is Verdict.IMPOSSIBLE:
        message = "; ".join(each.message for each in decision.findings if each.id == "GW2012") or "no plan was found"
        return condition(FEASIBLE, Holds.FALSE, "NoPlan", message)
    short = [each.message for each in decision.findings if each.id == "GW2010" and each.subject == service.name]
    if short:
        return condition(FEASIBLE, Holds.FALSE, "Degraded", "; ".join((*short, *_clashes(service, decision))))
    if service.name in decision.state.asleep:
        return condition(FEASIBLE, Holds.TRUE, "Asleep", "nobody asks for it, so nothing of it runs")
    return condition(FEASIBLE, Holds.TRUE, "Planned", "a plan serves it as promised")


def _clashes(service: Service, decision: Decision) -> Iterator[str]:
    """The clauses that clash when the service is served in full, by itself or with others."""
    for each in decision.findings:
        if each.id == "GW2011" and each.subject == service.name:
            yield each.message
        elif each.id == "GW2011" and not each.subject:
            yield f"of the plan, not of this service alone: {each.message}"


def _applied(service: Service, decision: Decision, status: Status) -> Condition:
    """Of the actions that a service needs, whether they were done; one that is not decided on again is done."""
    if decision.verdict is Verdict.IMPOSSIBLE:
        return condition(APPLIED, Holds.UNKNOWN, "NoPlan", "there is no plan to apply")
    models = {stage.model for stage in service.stages}
    asked = [
        action for wave in decision.transition.waves for action in wave.actions if _concerns(action, service, models)
    ]
    outcomes = [item for item in status.outcomes if _concerns(item.action, service, models)]
    failed = [item.error for item in outcomes if item.result == "failed"]
    if failed:
        return condition(APPLIED, Holds.FALSE, "ActionFailed", "; ".join(failed))
    left = len(asked) - sum(item.result == "done" for item in outcomes)
    if left > 0:
        return condition(APPLIED, Holds.FALSE, "UnderWay", f"{counted(left, 'action')} of {len(asked)} left to do")
    return condition(APPLIED, Holds.TRUE, "Applied", "what the plan asks for stands")


def _concerns(action: Action, service: Service, models: set[str]) -> bool:
    match action:
        case SetRoutes(routes):
            return any(each.service == service.name for each in routes)
        case SetLoad(load):
            return load.placement.model in models
        case Unload(placement):
            return placement.model in models


def _objective_met(service: Service, snapshot: Snapshot | None, policy: Policy, now: datetime) -> Condition:
    whole = [each for each in service.latency if not each.stage and not each.of_first]
    if not whole:
        return condition(OBJECTIVE_MET, Holds.TRUE, "NothingPromised", "it has no objective on its whole latency")
    if snapshot is None:
        return condition(OBJECTIVE_MET, Holds.UNKNOWN, "NotObserved", "nothing was observed yet")
    stale_after = timedelta(seconds=policy.scaling.stale_after_s)
    lately = {
        each.origin: seen
        for each in snapshot.latency
        if each.service == service.name and (seen := each.reading.fresh(now, stale_after))
    }
    told = [sentence for each in whole for sentence in _seen(each, lately)]
    late = [sentence for sentence, is_late in told if is_late]
    if late:
        return condition(OBJECTIVE_MET, Holds.FALSE, "TooSlow", "; ".join(late))
    met = [sentence for sentence, _ in told]
    unseen = [why for each in whole if (why := _unseen(each, lately))]
    if unseen:
        return condition(OBJECTIVE_MET, Holds.UNKNOWN, "NotObserved", "; ".join(dict.fromkeys((*unseen, *met))))
    return condition(OBJECTIVE_MET, Holds.TRUE, "Observed", "; ".join(met))


def _seen(objective: LatencyObjective, lately: Mapping[str, Quantiles]) -> Iterator[tuple[str, bool]]:
    """What callers at each origin see of an objective, in words, and whether it is later than promised."""
    read = OBSERVED.get(objective.percentile_bp)
    for origin, seen in lately.items() if read else ():
        if read and objective.origin in {"", origin}:
            is_late = read(seen) >= objective.below_us
            sign = "not below" if is_late else "below"
            yield f"{_percentile(objective)} from {origin} is {sign} {objective.below_us / 1000:g} ms", is_late


def _unseen(objective: LatencyObjective, lately: Mapping[str, Quantiles]) -> str:
    """Why nothing is seen of an objective, in words; empty where something is."""
    if objective.percentile_bp not in OBSERVED:
        observed = ", ".join(f"p{each / 100:g}" for each in OBSERVED)
        return f"{_percentile(objective)} is not observed, only {observed} are"
    if any(objective.origin in {"", origin} for origin in lately):
        return ""
    return f"no runs of it{f' from {objective.origin}' if objective.origin else ''} were seen lately"


def _percentile(objective: LatencyObjective) -> str:
    return f"p{objective.percentile_bp / 100:g}"


def _evidence_valid(service: Service, policy: Policy, decision: Decision, now: datetime) -> Condition:
    """Plans stand on evidence that holds, so it is valid while the plan is.

    A service without a way has none. The plan tells when the first of all that it rests on ends, and not of which
    service that is: only where it can be of no other, it is told as of this one.
    """
    if not _is_covered(service, policy):
        return condition(EVIDENCE_VALID, Holds.TRUE, "NothingAsked", "no compliance profile covers it")
    served = {routes.service for routes in decision.fleet.routes if routes.ways}
    if service.name not in served:
        return condition(EVIDENCE_VALID, Holds.UNKNOWN, "NotServed", "it is served nowhere, so nothing is proven of it")
    others = any(each.name in served and _is_covered(each, policy) for each in policy.services if each != service)
    is_of_it = not others and not policy.maintenance
    until = decision.valid_until
    if until is not None and until <= now:
        if is_of_it:
            message = f"evidence behind the plan ended at {until.isoformat()}"
            return condition(EVIDENCE_VALID, Holds.FALSE, "Ended", message)
        message = f"something that the plan rests on ended at {until.isoformat()}, for this service or for another"
        return condition(EVIDENCE_VALID, Holds.UNKNOWN, "PlanEnded", message)
    soon = [each.message for each in decision.findings if each.id == "GW2014"]
    if soon and is_of_it:
        return condition(EVIDENCE_VALID, Holds.TRUE, "EndsSoon", "; ".join(soon))
    proven = "all that its profiles ask for is proven where it stands"
    lasts = f", until {until.isoformat()} at least" if until else ""
    of_plan = "".join(f"; of the plan, not of this service alone: {each}" for each in soon)
    return condition(EVIDENCE_VALID, Holds.TRUE, "Proven", f"{proven}{lasts}{of_plan}")


def _is_covered(service: Service, policy: Policy) -> bool:
    return any(profile.scope.means(service) for profile in policy.compliance)
