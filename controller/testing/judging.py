"""Whether an expectation holds of the plan that a fleet came to rest with."""

from controller.planning.objective import price_per_hour
from controller.testing import places
from controller.testing.known import known_findings
from controller.testing.rest import Rest
from controller.testing.results import Failure, Trouble
from policy.findings import Place
from policy.testing import (
    Allowed,
    Barred,
    CostBelow,
    Expectation,
    Feasible,
    Found,
    NeverOn,
    Replicas,
    RunsNowhere,
    RunsOnly,
    Served,
    TailBelow,
    Unchanged,
)
from policy.words import dollars_per_hour, suggestion
from rules.kernel.problem import Placement
from rules.kernel.quantities import milliseconds, percent

Judgement = Failure | Trouble | None
"""None where it holds."""


def judged(expected: Expectation, before: Rest, now: Rest) -> Judgement:
    """What is wrong with an expectation of `now`; `before` is the rest that the step began with."""
    service = _service_of(expected)
    if service and service not in {each.name for each in now.policy.services}:
        hint = "expect something of it before it leaves the policy"
        return Trouble(expected.place, f"{service} is not in the policy any more", hint)
    match expected:
        case Unchanged():
            return places.unchanged(expected, before, now)
        case RunsOnly() | RunsNowhere() | NeverOn() | Allowed() | Barred():
            return places.judged(expected, now)
        case Served() | TailBelow() | CostBelow() | Replicas():
            return _in_numbers(expected, now)
        case Found():
            return _found(expected, now)
        case Feasible():
            return _feasible(expected, now)


def _service_of(expected: Expectation) -> str:
    """The service that an expectation is about, of which there has to be something to judge."""
    match expected:
        case RunsOnly() | NeverOn() | Allowed() | Barred():
            return expected.where.service
        case RunsNowhere() | Served() | TailBelow():
            return expected.service
        case _:
            return ""


def _in_numbers(expected: Served | TailBelow | CostBelow | Replicas, now: Rest) -> Judgement:
    match expected:
        case Served():
            return _served(expected, now)
        case TailBelow():
            return _tail(expected, now)
        case CostBelow():
            return _cost(expected, now)
        case Replicas():
            return _replicas(expected, now)


def _served(expected: Served, now: Rest) -> Judgement:
    less = [
        f"{percent(each.served_permille)} from {each.origin}"
        for each in now.decision.forecasts
        if each.service == expected.service and expected.origin in {"", each.origin}
        if each.served_permille < expected.at_least_permille
    ]
    wanted = f"at least {percent(expected.at_least_permille)} of {expected.service} served"
    return _unless(not less, expected.place, wanted, ", ".join(less))


def _tail(expected: TailBelow, now: Rest) -> Judgement:
    about = [
        each
        for each in now.decision.forecasts
        if each.service == expected.service and expected.origin in {"", each.origin}
    ]
    slow = [f"{milliseconds(e.p99_us)} from {e.origin}" for e in about if e.p99_us > expected.below_us]
    refused = [f"nothing served from {e.origin}" for e in about if not e.served_permille]
    wanted = f"p99 of {expected.service} at most {milliseconds(expected.below_us)}"
    return _unless(not slow and not refused, expected.place, wanted, ", ".join((*slow, *refused)))


def _feasible(expected: Feasible, now: Rest) -> Judgement:
    short = [finding.message for finding in now.decision.findings if finding.id in {"GW2010", "GW2012"}]
    wanted = "every service served in full, as promised" if expected.wanted else "not every service served as promised"
    return _unless(expected.wanted != bool(short), expected.place, wanted, "; ".join(short) or "all of them are")


def _cost(expected: CostBelow, now: Rest) -> Judgement:
    spent = price_per_hour(now.decision.plan, now.built.whole, expected.site)
    where = f" of {expected.site}" if expected.site else ""
    wanted = f"nodes and links{where} for at most {dollars_per_hour(expected.millicents_per_hour)}"
    return _unless(spent <= expected.millicents_per_hour, expected.place, wanted, dollars_per_hour(spent))


def _replicas(expected: Replicas, now: Rest) -> Judgement:
    def is_meant(placement: Placement) -> bool:
        return placement.model == expected.model and expected.site in {"", now.policy.pool(placement.pool).site}

    count = sum(load.instances for load in now.decision.fleet.loads if is_meant(load.placement))
    where = f" at {expected.site}" if expected.site else ""
    wanted = f"{expected.minimum} to {expected.maximum} instances of {expected.model}{where}"
    return _unless(expected.minimum <= count <= expected.maximum, expected.place, wanted, str(count))


def _found(expected: Found, now: Rest) -> Judgement:
    if expected.id not in known_findings():
        hint = suggestion(expected.id, known_findings(), "see docs/findings.md")
        return Trouble(expected.place, f"no plan comes with a finding {expected.id}", hint)
    same = [finding for finding in now.decision.findings if finding.id == expected.id]
    there = [f for f in same if not expected.service or f.subject.partition("@")[0] == expected.service]
    about = f" about {expected.service}" if expected.service else ""
    wanted = f"{'a finding' if expected.wanted else 'no finding'} {expected.id}{about}"
    ids = ", ".join(sorted({finding.id for finding in now.decision.findings})) or "no finding"
    found = f"there is {ids}" if expected.wanted else "; ".join(finding.message for finding in there)
    return _unless(bool(there) == expected.wanted, expected.place, wanted, found)


def _unless(holds: bool, place: Place, wanted: str, found: str) -> Judgement:  # noqa: FBT001 - reads as a sentence
    return None if holds else Failure(place, wanted, found)
