"""What a decision says of its plan: reasons, until when it is valid, and findings."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from controller.clause_words import said
from controller.decision import Reason
from controller.planning.conflict import Conflict
from controller.planning.explanation import Loosened, Shortfall
from controller.planning.instants import instants
from controller.planning.relaxation import Relaxation
from controller.planning.runner_up import RunnerUp
from controller.planning.sacrifice import Sacrifice
from controller.planning.shadow import ShadowPrice
from controller.planning.standing_until import standing_until_s
from policy.checks.endings import NOTICE
from policy.clause_list import clauses_of
from policy.findings import Finding, Level, Place
from policy.resolved import Policy
from policy.words import dollars_per_hour
from rules.attestation import Attestation
from rules.catalogue import COMPLIANCE, RULES, STANDING
from rules.certification import Certification
from rules.encryption_at_rest import EncryptionAtRest
from rules.forbidden_certification import ForbiddenCertification
from rules.kernel.evidence import Vouched
from rules.kernel.latest import Latest
from rules.kernel.measure import visits
from rules.kernel.plan import Plan
from rules.kernel.problem import Placement, Problem
from rules.kernel.quantities import percent
from rules.kernel.rule import Violation
from rules.link_evidence import LinkEvidence
from rules.maintenance import Maintenance
from rules.provenance import Provenance

FOREVER_S: Final = 253_402_300_799
"""The last second that a datetime can name."""
RENEWED_NOTICE: Final = timedelta(hours=1)
OF_TIME: Final = (
    Certification(),
    ForbiddenCertification(),
    Attestation(),
    EncryptionAtRest(),
    Provenance(),
    LinkEvidence(),
    Maintenance(),
)
"""The rules that go by what holds from one second to another."""
MOST_NAMED: Final = 6
"""Clauses, and loosenings, that one finding names."""


def reasons(plan: Plan, problem: Problem) -> tuple[Reason, ...]:
    """Each placement of the plan with the stages of the demands that are routed to it."""
    serves: dict[Placement, set[str]] = {}
    for route in plan.routes:
        path = problem.path(route.path)
        demand = problem.demand(path.demand)
        for stage, option in zip(problem.service_of(demand).stages, path.options, strict=True):
            serves.setdefault(problem.option(option).placement, set()).add(f"{demand.id}/{stage.name}")
    return tuple(
        Reason(placement, count, tuple(sorted(serves.get(placement, ()))))
        for placement, count in sorted(plan.placements(problem).items())
    )


def ends(plan: Plan, problem: Problem) -> dict[str, datetime]:
    """By the id of a rule of evidence, when the plan's routes first lose what that rule goes by.

    By `data` when data is no longer known to be removed from what a route carries that must not carry it, and by
    `standing` when idle instances first lose all by which somebody may use them. Where that is an attestation result,
    or one says that storage is encrypted, it counts by `attestation`: it is the result that ends. Until the first of
    all these the plan is valid.
    """
    lasting = _lasting(problem)
    found = {
        rule.id: min((each.measured for each in rule.check(plan, lasting) if each.measured), default=None)
        for rule in OF_TIME
    }
    stored_s = found[EncryptionAtRest.id]
    if any(each.until_s == stored_s for each in problem.attestations):
        del found[EncryptionAtRest.id]
        found[Attestation.id] = min(each for each in (stored_s, found[Attestation.id]) if each is not None)
    found["data"] = _removed_until_s(plan, problem)
    others = frozenset(instants(replace(problem, attestations=())))
    for end_s in standing_until_s(plan, problem).values():
        name = STANDING.id if end_s in others else Attestation.id
        if end_s > problem.now_s:
            found[name] = min(end_s, found.get(name) or end_s)
    return {name: datetime.fromtimestamp(end_s, UTC) for name, end_s in found.items() if end_s is not None}


def ends_by_use(plan: Plan, problem: Problem) -> dict[tuple[str, str, str], datetime]:
    """By demand, stage and option, when that use first loses what a rule of evidence or of maintenance goes by.

    What a use lacks already ends now. Once data is no longer known to be removed, every use may be of that data.
    """
    uses = {str(visit): (visit.demand.id, visit.stage.name, visit.option.id) for visit in visits(plan, problem)}
    found: dict[tuple[str, str, str], int] = {}
    for rule in OF_TIME:
        for each in rule.check(plan, _lasting(problem)):
            use = uses[each.subject]
            found[use] = min(max(each.measured, problem.now_s), found.get(use, FOREVER_S))
    removed_s = _removed_until_s(plan, problem)
    if removed_s is not None:
        found = {use: min(removed_s, found.get(use, FOREVER_S)) for use in uses.values()}
    return {use: datetime.fromtimestamp(end_s, UTC) for use, end_s in found.items()}


def _lasting(problem: Problem) -> Problem:
    """The problem of a plan that is needed for ever."""
    return replace(problem, needed_until_s=FOREVER_S, provenances=tuple(_as_removed_now(problem)))


def _as_removed_now(problem: Problem) -> Iterator[Vouched]:
    """What is said of artefacts, as if the removals that count now did for good: their ends are judged apart."""
    for each in problem.provenances:
        lasts = each.removes and each.until_s >= problem.needed_until_s
        yield replace(each, until_s=FOREVER_S) if lasts else each


def _removed_until_s(plan: Plan, problem: Problem) -> int | None:
    """The first second at which a removal is no longer vouched for and a rule on compliance objects for that alone."""
    for end_s in sorted({each.until_s for each in problem.provenances if each.removes}):
        if problem.needed_until_s <= end_s < FOREVER_S:
            later = replace(problem, needed_until_s=end_s + 1)
            lasting = replace(later, provenances=tuple(_as_removed_now(problem)))
            if any(set(rule.check(plan, later)) - set(rule.check(plan, lasting)) for rule in COMPLIANCE):
                return end_s
    return None


def soon(ending: Mapping[str, datetime], now: datetime) -> datetime | None:
    """The first of these ends of which a person should know now; None where that can wait.

    Attestation results are renewed every day or more often, so of their end it is said late.
    """
    due = [at for rule, at in ending.items() if at - now <= (RENEWED_NOTICE if rule == Attestation.id else NOTICE)]
    return min(due, default=None)


def violated(violations: tuple[Violation, ...]) -> tuple[Finding, ...]:
    """Violations as findings, each in its rule's words."""
    by_id = {rule.id: rule for rule in RULES}
    return tuple(by_id[violation.rule].explain(violation) for violation in violations)


def degrade_findings(plan: Plan, problem: Problem) -> tuple[Finding, ...]:
    """One finding for each service that is not served as promised."""
    found = []
    for service in problem.policy.services:
        level = plan.level(service.name)
        refused = {d.id: plan.unserved_permille(d.id) for d in problem.demands if d.service == service.name}
        if level or any(refused.values()):
            steps = "best effort" if level > len(service.degrade) else f"step {level} of its degrade order"
            shares = ", ".join(f"{name} {share / 10:g} %" for name, share in refused.items() if share)
            found.append(
                Finding(
                    "GW2010",
                    Level.ERROR if level > len(service.degrade) else Level.WARNING,
                    f"{service.name} is at {steps}" + (f"; refused: {shares}" if shares else ""),
                    "`gridwright explain`, and GW2011 of a running controller, name the clauses that cannot all hold: "
                    "loosen one of them or add capacity",
                    service.place,
                    service.name,
                )
            )
    return tuple(found)


def sacrifice_finding(found: Sacrifice) -> Finding:
    """Who would have to give way for a service that gives way now, or waits."""
    others = ", ".join(f"{name} (priority {priority})" for name, priority in found.instead)
    own = f"{found.service} (priority {found.priority})"
    if not found.possible:
        message = f"{own} could not be served in full whatever other services gave up"
    elif found.waits:
        message = f"{own} waits: served in full, it would take from {others}, and it does not preempt"
    elif found.instead:
        message = f"{own} gives way by priority: served in full, it would take from {others}"
    else:
        message = f"{own} could be served in full at no cost to other services"
    change = "let it preempt" if found.waits else "change the priorities"
    hint = f"{change} if that is not what is wanted; GW2011 tells what would serve all"
    return Finding("GW2018", Level.INFO, message, hint, subject=found.service)


_HINTS: Final = {
    (
        True,
        True,
    ): "at least one of them has to give, and any one is enough to end this conflict; others may show up then",
    (True, False): "loosening one of them may help; not every question was decided within the limit of work",
    (False, True): "add nodes, or a Link or a profile by which others could be reached",
    (False, False): "add capacity; not every question was decided within the limit of work",
}
"""By whether there are clauses, and whether all of them are proven to be needed."""


_ALONE_HINTS: Final = {
    True: "it has to give; others may show up then",
    False: "loosening it may help; not every question was decided within the limit of work",
}
"""Where there is one clause, by whether it is proven to be needed."""
_OPEN: Final = "that is proven; not proven within the limit of work is that {} is needed for it"


def _conflict_text(conflict: Conflict, policy: Policy) -> str:
    """What cannot be, and how far that is proven."""
    if not conflict.clauses:
        return f"nothing there could serve all of {', '.join(conflict.services[:MOST_NAMED])}, whatever clauses say"
    if len(conflict.clauses) == 1:
        (clause,) = conflict.clauses
        proof = "proven, and without it the others can" if conflict.proven else _OPEN.format("it")
        named = _clause_text(clause.rule, clause.place, policy)
        return f"this clause cannot hold with what there is: {named}; {proof}"
    every = [f"{clause.rule} ({clause.place})" for clause in conflict.clauses]
    more = f"; and {len(every) - MOST_NAMED} more" if len(every) > MOST_NAMED else ""
    proof = "proven, and without any one of them the others can" if conflict.proven else _OPEN.format("each of them")
    return f"these clauses cannot all hold: {'; '.join(every[:MOST_NAMED])}{more}; {proof}"


def _hint(conflict: Conflict) -> str:
    if len(conflict.clauses) == 1:
        return _ALONE_HINTS[conflict.proven]
    return _HINTS[bool(conflict.clauses), conflict.proven]


def conflict_finding(found: Loosened, policy: Policy) -> Finding:
    """The clashing clauses as one finding, at the first of them, with the smallest loosenings that are enough.

    Its subject is the service that is served in full in them, where it is one alone.
    """
    conflict = found.conflict
    return Finding(
        "GW2011",
        Level.ERROR,
        _conflict_text(conflict, policy),
        _enough(found.relaxations) if found.relaxations else _hint(conflict),
        conflict.clauses[0].place if conflict.clauses else None,
        conflict.services[0] if len(conflict.services) == 1 else "",
    )


def shortfall_findings(found: Shortfall, policy: Policy) -> tuple[Finding, ...]:
    """What is known of a shortfall; that something is not known is said too."""
    named = (*map(sacrifice_finding, found.sacrifices), *(conflict_finding(each, policy) for each in found.conflicts))
    if found.servable:
        message = "no clauses clash: a plan that serves everything exists, and the search for the one in use missed it"
        hint = "nothing to do: later turns search again; report it where it lasts"
        return (*named, Finding("GW2019", Level.INFO, message, hint))
    if found.undecided:
        names = ", ".join(found.undecided[:MOST_NAMED])
        more = f" and {len(found.undecided) - MOST_NAMED} more" if len(found.undecided) > MOST_NAMED else ""
        message = f"not proven within the limit of work: whether {names}{more} could be served in full"
        hint = "add capacity or loosen a clause of these services; which clauses clash is not known"
        return (*named, Finding("GW2019", Level.INFO, message, hint))
    return named


def _enough(found: tuple[Relaxation, ...]) -> str:
    """The loosenings that serve everything; where none is known to, those that serve the services of the conflict."""
    alone = [item for item in found if item.serves_all and not item.beside]
    if alone:
        return f"enough would be: {_either(alone)}"
    together = [item for item in found if item.serves_all]
    if together:
        beside = " and ".join(relaxation_text(item) for item in together[0].beside)
        return f"enough would be, together with {beside}: {_either(together)}"
    rest = (
        "other services would still fall short"
        if all(item.serves_all is False for item in found)
        else "whether everybody is served then is not proven"
    )
    return f"enough for the services of these clauses would be: {_either(found)}; {rest}"


def _either(found: Sequence[Relaxation]) -> str:
    return "; or ".join(relaxation_text(item) for item in found[:MOST_NAMED])


def relaxation_text(item: Relaxation) -> str:
    """A loosening with its place and what the plan then costs."""
    about = "at most " * item.at_most + "about " * item.about
    cost = item.cost_millicents_per_hour
    costs = f", then {about}{dollars_per_hour(cost)}" if cost is not None else ""
    less = "" if item.least else "; perhaps less is enough"
    return f"{item.what} ({item.clause.rule}, {item.clause.place}{costs}{less})"


def runner_up_text(item: RunnerUp, policy: Policy) -> str:
    """A runner-up as one clause of a sentence."""
    because = _clause_text(item.loses_by, item.place, policy) + f": {item.reason}" * bool(item.reason)
    about = "about " if item.about else ""
    if item.instead is None:
        given_up = f"{', '.join(item.gives_up)} would give up more; " if item.gives_up else ""
        return f"nothing instead: {given_up}{because}"
    return f"{item.instead}, {about}+{dollars_per_hour(item.extra_millicents_per_hour)}, loses by {because}"


_clauses: Final = Latest(clauses_of)


def _clause_text(rule: str, place: Place | None, policy: Policy) -> str:
    """What the clause at a place says, with the place; of what is no clause of a document the rule, in words."""
    said_there = next((said(each) for each in _clauses(policy) if each.place == place), rule.replace("_", " "))
    return f"{said_there} ({place})" if place else said_there


def shadow_text(item: ShadowPrice) -> str:
    """What more of something is worth, as a sentence."""
    what = f"one more node in {item.pool}" if item.pool else f"twice the bandwidth of {' - '.join(item.link or ())}"
    about = "at least " * item.at_least + "about " * item.about
    if item.served_permille:
        return f"{what} serves {about}{percent(item.served_permille)} of a demand more"
    return f"{what} saves {about}{dollars_per_hour(item.saves_millicents_per_hour)}"
