"""Services that never preempt: others keep what they have, however much such a service lacks.

What a service has is what the last plan serves of it, as a rate. Where the cheapest plan serves more of a service that
does not preempt, and somebody falls below what it has, all is planned without what such services lack. What that plan
leaves to everybody is what they are assured of in the final one, which gives the rest of the room away by priority.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from controller.decision import State
from controller.planning.cheapest import Best, cheapest
from policy.resolved import Policy, Preemption, Shed
from rules.kernel.formulation import Flow, Row
from rules.kernel.plan import Plan
from rules.kernel.problem import WHOLE_PERMILLE, Assured, Problem
from rules.preemption import Preemption as PreemptionRule


def never_preempting(policy: Policy) -> frozenset[str]:
    """The services that take nothing from others."""
    return frozenset(service.name for service in policy.services if service.preemption is Preemption.NEVER)


@dataclass(frozen=True)
class Acquired:
    """What services have now: of each demand the permille that is served, and the degrade level of each service."""

    served_permille: Mapping[str, int]
    levels: Mapping[str, int]

    @classmethod
    def of(cls, problem: Problem, state: State) -> "Acquired":
        """What the last plan that stood serves, as shares of what is planned for now.

        Nothing of a demand that this plan was not made for: a new one, or one of a service that slept.
        """
        before = {(item.service, item.origin): item.served_permille * item.rate_milli_rps for item in state.forecasts}
        served = {}
        for demand in problem.demands:
            now = before.get((demand.service, demand.origin), 0) // demand.rate_milli_rps
            served[demand.id] = min(WHOLE_PERMILLE, now)
        return cls(served, {item.service: item.level for item in state.plan.degraded})

    def lacking(self, problem: Problem) -> Mapping[str, int]:
        """By demand of a service that does not preempt, the permille that it lacks, where that is not nothing."""
        waiting = never_preempting(problem.policy)
        lacks = {d.id: WHOLE_PERMILLE - self.served_permille[d.id] for d in problem.demands if d.service in waiting}
        return {demand: permille for demand, permille in lacks.items() if permille}

    def assured(self, problem: Problem) -> tuple[Assured, ...]:
        """That everybody keeps what they have. Who lacks more than its level lets it is at best effort."""
        return tuple(_as_it_is(self, problem))


def _as_it_is(acquired: Acquired, problem: Problem) -> Iterator[Assured]:
    for service in problem.policy.services:
        top = len(service.degrade) + 1
        level = min(acquired.levels.get(service.name, 0), top)
        shed = sum(step.share_permille for step in service.degrade[:level] if isinstance(step, Shed))
        unserved = tuple(
            (demand.id, WHOLE_PERMILLE - acquired.served_permille[demand.id])
            for demand in problem.demands
            if demand.service == service.name
        )
        lacks = max((permille for _, permille in unserved), default=0)
        yield Assured(service.name, level if lacks <= shed else top, unserved)


def without_taking(
    problem: Problem,
    running: Plan,
    acquired: Acquired,
    *,
    limits: tuple[Row, ...] = (),
    below: Best | None = None,
    proposal: Plan | None = None,
) -> tuple[Problem, Best | None]:
    """The cheapest plan in which nobody loses anything to a service that does not preempt; and its problem.

    The problem says what everybody is assured of, where the cheapest plan of all would take it.
    """
    best = cheapest(problem, running, limits, below, proposal)
    lacking = acquired.lacking(problem)
    now = replace(problem, assured=acquired.assured(problem))
    if best is None or not _gains(best.plan, lacking) or not _loses(best.plan, now):
        return problem, best
    alone = cheapest(problem, running, (*limits, *refused(lacking)))
    assured = now.assured if alone is None or not _loses(alone.plan, now) else _given(alone.plan, problem)
    held = replace(problem, assured=assured)
    return held, cheapest(held, running, limits, alone, proposal) or alone


def as_assured(problem: Problem, state: State) -> Problem:
    """The problem in which nobody loses anything, where a service that does not preempt lacks something."""
    acquired = Acquired.of(problem, state)
    return replace(problem, assured=acquired.assured(problem)) if acquired.lacking(problem) else problem


def fills_up(plan: Plan, problem: Problem, state: State) -> bool:
    """Whether a plan serves something that a service which does not preempt lacks."""
    return _gains(plan, Acquired.of(problem, state).lacking(problem))


def _gains(plan: Plan, lacking: Mapping[str, int]) -> bool:
    """Whether a plan serves something that is lacking."""
    return any(plan.unserved_permille(demand) < permille for demand, permille in lacking.items())


def _loses(plan: Plan, now: Problem) -> bool:
    """Whether somebody has less by a plan than now."""
    return any(True for _ in PreemptionRule().check(plan, now))


def refused(lacking: Mapping[str, int]) -> tuple[Row, ...]:
    """Rows by which nothing of what is lacking is served."""
    rows = (
        Flow(PreemptionRule.id, None, (), unserved=((demand, 1),), lowest=permille)
        for demand, permille in sorted(lacking.items())
    )
    return tuple(rows)


def _given(plan: Plan, problem: Problem) -> tuple[Assured, ...]:
    """What a plan gives everybody."""
    return tuple(
        Assured(
            service.name,
            plan.level(service.name),
            tuple((d.id, plan.unserved_permille(d.id)) for d in problem.demands if d.service == service.name),
        )
        for service in problem.policy.services
    )
