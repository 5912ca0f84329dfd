"""Why a plan falls short, in words: who gives way to whom, which clauses clash, and what would be enough."""

from collections.abc import Sequence
from typing import Final

from controller.planning.explaining.conflict import Conflict
from controller.planning.explaining.explanation import Loosened, Shortfall
from controller.planning.explaining.named_clause import clause_text
from controller.planning.explaining.relaxation import Relaxation
from controller.planning.explaining.sacrifice import Sacrifice
from policy.findings import Finding, Level
from policy.resolved import Policy
from policy.words import dollars_per_hour
from rules.kernel.plan import Plan
from rules.kernel.problem import Problem

MOST_NAMED: Final = 6
"""Clauses, and loosenings, that one finding names."""


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
        named = clause_text(clause.rule, clause.place, policy)
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
