"""Services that never preempt: others keep what they have, however much such a service lacks.

What a service has is what the last plan serves of it, as a rate, at the degrade level of that plan. Where the
cheapest plan gives a service that does not preempt more requests or a lower level, and somebody falls below what it
has, all is planned without what such services lack. What that plan leaves to everybody is what they are assured of in
the final one, which gives the rest of the room away by priority.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from controller.decision import State
from controller.planning.cheapest import Best, cheapest
from policy.resolved import Policy, Service, Shed
from rules.degrade import Degrade
from rules.kernel.formulation import Flow, Formulation, Ladder, Row
from rules.kernel.plan import Plan
from rules.kernel.problem import WHOLE_PERMILLE, Assured, Problem
from rules.preemption import Preemption


def never_preempting(policy: Policy) -> frozenset[str]:
    """The services that take nothing from others."""
    return frozenset(service.name for service in policy.services if service.waits)


@dataclass(frozen=True)
class Lacking:
    """What services that do not preempt lack: by demand the permille, by service its degrade level; each above 0."""

    permille: Mapping[str, int]
    levels: Mapping[str, int]

    def __bool__(self) -> bool:
        """Whether anything is lacking."""
        return bool(self.permille or self.levels)


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
        tops = {service.name: len(service.degrade) + 1 for service in problem.policy.services}
        known = (item for item in state.plan.degraded if item.service in tops)
        return cls(served, {item.service: min(item.level, tops[item.service]) for item in known})

    def lacking(self, problem: Problem) -> Lacking:
        """What services that do not preempt lack of what is planned for."""
        waiting = never_preempting(problem.policy)
        lacks = {d.id: WHOLE_PERMILLE - self.served_permille[d.id] for d in problem.demands if d.service in waiting}
        return Lacking(
            {demand: permille for demand, permille in lacks.items() if permille},
            {service: level for service, level in self.levels.items() if service in waiting and level},
        )

    def assured(self, problem: Problem) -> tuple[Assured, ...]:
        """That everybody keeps what they have. Who lacks more than its level lets it is at best effort."""
        return tuple(self._assured(service, problem) for service in problem.policy.services)

    def _assured(self, service: Service, problem: Problem) -> Assured:
        level = self.levels.get(service.name, 0)
        shed = sum(step.share_permille for step in service.degrade[:level] if isinstance(step, Shed))
        demands = (demand.id for demand in problem.demands if demand.service == service.name)
        unserved = tuple((demand, WHOLE_PERMILLE - self.served_permille[demand]) for demand in demands)
        is_short = any(permille > shed for _, permille in unserved)
        return Assured(service.name, len(service.degrade) + 1 if is_short else level, unserved)


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
    if best is None or not lacking:
        return problem, best
    now = replace(problem, assured=acquired.assured(problem))
    if not _loses(best.plan, now):
        return problem, best.tied_within(_assurances(now))
    if not _gains(best.plan, lacking):
        return problem, best.tied_within(withholding(lacking, problem))
    alone = cheapest(problem, running, (*limits, *withholding(lacking, problem)))
    assured = now.assured if alone is None or not _loses(alone.plan, now) else _given(alone.plan, problem)
    held = replace(problem, assured=assured)
    return held, cheapest(held, running, limits, alone, proposal) or alone


def without_giving(
    problem: Problem, running: Plan, acquired: Acquired, given: Plan, *, limits: tuple[Row, ...] = ()
) -> Best | None:
    """The cheapest plan that gives nothing of what is lacking; None where `given` does not either."""
    lacking = acquired.lacking(problem)
    return cheapest(problem, running, (*limits, *withholding(lacking, problem))) if _gains(given, lacking) else None


def judging(plan: Plan, problem: Problem, acquired: Acquired) -> Problem:
    """The problem by which a plan and its parts are judged: where it gives what is lacking, nobody has less than now.

    Where the problem says already what everybody is assured of, that stays.
    """
    if problem.assured or not _gains(plan, acquired.lacking(problem)):
        return problem
    return replace(problem, assured=acquired.assured(problem))


def takes(plan: Plan, running: Plan, problem: Problem) -> bool:
    """Whether a service that does not preempt has more than by what runs while somebody has less than is assured.

    A part of a plan may leave somebody with less by itself: then such a service waits for the rest of the plan.
    """
    waiting = never_preempting(problem.policy)
    lacking = Lacking(
        {each.id: running.unserved_permille(each.id) for each in problem.demands if each.service in waiting},
        {name: running.level(name) for name in waiting},
    )
    return _gains(plan, lacking) and _loses(plan, problem)


def as_assured(problem: Problem, state: State) -> Problem:
    """The problem in which nobody loses anything, where a service that does not preempt lacks something."""
    acquired = Acquired.of(problem, state)
    return replace(problem, assured=acquired.assured(problem)) if acquired.lacking(problem) else problem


def fills_up(plan: Plan, problem: Problem, state: State) -> bool:
    """Whether a plan serves something that a service which does not preempt lacks."""
    return _gains(plan, Acquired.of(problem, state).lacking(problem))


def _gains(plan: Plan, lacking: Lacking) -> bool:
    """Whether a plan gives something that is lacking."""
    served = any(plan.unserved_permille(demand) < permille for demand, permille in lacking.permille.items())
    return served or any(plan.level(service) < level for service, level in lacking.levels.items())


def _loses(plan: Plan, now: Problem) -> bool:
    """Whether somebody has less by a plan than now."""
    return any(True for _ in Preemption().check(plan, now))


def _assurances(problem: Problem) -> tuple[Row, ...]:
    """Rows by which nobody has less than is assured."""
    form = Formulation()
    Preemption().constrain(form, problem)
    return tuple(form.rows)


def withholding(lacking: Lacking, problem: Problem) -> tuple[Row, ...]:
    """Rows by which nothing of what is lacking is given: it stays unserved, and the degrade steps stay taken."""
    unserved = (
        Flow(Preemption.id, None, (), unserved=((demand, 1),), lowest=permille)
        for demand, permille in sorted(lacking.permille.items())
    )
    return (*unserved, *_kept_steps(lacking, problem))


def _kept_steps(lacking: Lacking, problem: Problem) -> Iterator[Ladder]:
    """Ladders of services in which no path may carry anything below the level that they have.

    A service that then serves nothing may be below it: it has nothing by that.
    """
    if not lacking.levels:
        return
    form = Formulation()
    Degrade().constrain(form, problem)
    for row in form.rows:
        if isinstance(row, Ladder) and row.service in lacking.levels:
            level, gates = lacking.levels[row.service], dict(row.gates)
            paths = (path.id for demand in row.demands for path in problem.paths_of(demand))
            yield replace(row, gates=tuple((path, max(level, gates.get(path, 0))) for path in paths))


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
