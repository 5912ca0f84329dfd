"""For each placement of a plan the next best thing: what would stand instead, at what cost more, and why it loses.

On a small fleet it is the cheapest plan with the placement barred, by CP-SAT. On a large one all else of the plan stays
where it is, and a linear programme over pools serves what went through the placement elsewhere: "about".
"""

from collections import Counter
from dataclasses import dataclass, replace
from typing import Final

from controller.decision import Proof
from controller.planning.build import write
from controller.planning.objective import cost_of, prices, shortfall
from controller.planning.pooled.rest import Rest
from controller.planning.solve import solve
from controller.planning.whole.size import is_small
from controller.planning.work import OTHER_PLAN_WORK
from policy.findings import Place
from policy.resolved import Service
from rules.kernel.formulation import Exclusion, Formulation, Penalty
from rules.kernel.plan import Plan
from rules.kernel.problem import Option, Placement, Problem

NETWORK: Final = "network"
PRICE: Final = "price"
START: Final = "start price"
LINKS: Final = "link price"
CAPACITY: Final = "capacity"


@dataclass(frozen=True, slots=True)
class RunnerUp:
    """What would take over from `placement`: most of it `instead`, None where nothing may or has room.

    `loses_by` is a rule's id, or one of network, price, start price, link price and capacity; `reason` and `place` are
    the rule's.
    `gives_up` are the services that would be degraded or refused further without the placement.
    """

    placement: Placement
    instead: Placement | None
    extra_millicents_per_hour: int
    gives_up: tuple[str, ...]
    loses_by: str
    reason: str
    place: Place | None
    about: bool


@dataclass(frozen=True, slots=True)
class Chosen:
    """A plan with the problem it solves, what is excluded from that, and what ran before."""

    plan: Plan
    problem: Problem
    exclusions: tuple[Exclusion, ...]
    running: Plan


@dataclass(frozen=True, slots=True)
class _Other:
    """What is done without a placement: instances by placement that come to it, and the cost by its kinds."""

    gained: Counter[Placement]
    cost: dict[str, float]
    gives_up: tuple[str, ...]
    exact: bool


def runners_up(chosen: Chosen, wanted: frozenset[Placement]) -> tuple[RunnerUp, ...]:
    """The runner-up of each placement that is wanted and serves something."""
    problem = chosen.problem
    serving = {problem.option(o).placement for r in chosen.plan.routes for o in problem.path(r.path).options}
    asked = sorted(serving & wanted)
    if is_small(problem):
        return tuple(_runner_up(placement, _solved(placement, chosen), chosen) for placement in asked)
    rest = Rest(problem, chosen.plan, chosen.running)
    return tuple(_runner_up(placement, _beside(placement, rest, chosen), chosen) for placement in asked)


def _runner_up(placement: Placement, other: _Other | None, chosen: Chosen) -> RunnerUp:
    same = [p for p in other.gained if p.model == placement.model] if other else []
    instead = min(same, key=lambda p: (-other.gained[p], p)) if other and same else None
    gives_up = other.gives_up if other else ()
    about = other is None or not other.exact
    if other is None or gives_up:
        by, reason, place = _barred(placement, chosen) or (CAPACITY, "", None)
        return RunnerUp(placement, None, 0, gives_up, by, reason, place, about)
    by, reason, place = _loses(placement, instead, other, chosen)
    return RunnerUp(placement, instead, max(0, round(sum(other.cost.values()))), (), by, reason, place, about)


def _loses(
    placement: Placement, instead: Placement | None, other: _Other, chosen: Chosen
) -> tuple[str, str, Place | None]:
    """Why what would stand instead does not: a rule that keeps the setting in use away from it, or what costs most."""
    if instead is not None:
        kept_away = _kept_away(placement, instead, chosen)
        if kept_away is not None and sum(other.cost.values()) > 0:
            return kept_away.rule, kept_away.reason, kept_away.place
    kind = max(other.cost, key=lambda kind: (other.cost[kind], kind))
    return (kind if other.cost[kind] > 0 else NETWORK), "", None


def _kept_away(placement: Placement, instead: Placement, chosen: Chosen) -> Exclusion | None:
    """What bars the setting in use here from the other placement."""
    used = {chosen.problem.option(i.option) for i in chosen.plan.instances}
    settings = {_setting(option) for option in used if option.placement == placement}
    demands = _demands(placement, chosen)
    names = {o.id for o in chosen.problem.options if o.placement == instead and _setting(o) in settings}
    return next((row for row in chosen.exclusions if row.option in names and row.demand in demands), None)


def _setting(option: Option) -> tuple[int, int, int]:
    return option.max_batch, option.queue_delay_us, option.load_permille


def _demands(placement: Placement, chosen: Chosen) -> frozenset[str]:
    """The demands that are served through a placement."""
    paths = [chosen.problem.path(route.path) for route in chosen.plan.routes]
    through = (p for p in paths if any(chosen.problem.option(o).placement == placement for o in p.options))
    return frozenset(path.demand for path in through)


def _barred(placement: Placement, chosen: Chosen) -> tuple[str, str, Place | None] | None:
    """The first thing that bars other placements of the model from these demands."""
    demands = _demands(placement, chosen)
    others = {o.id for o in chosen.problem.options if o.placement.model == placement.model and o.placement != placement}
    for row in chosen.exclusions:
        if row.demand in demands and row.option in others:
            return row.rule, row.reason, row.place
    return None


def _without(placement: Placement, problem: Problem) -> Problem:
    """The problem without the options of a placement and the paths through them."""
    options = tuple(option for option in problem.options if option.placement != placement)
    names = {option.id for option in options}
    return replace(problem, options=options, paths=tuple(p for p in problem.paths if names.issuperset(p.options)))


def _solved(placement: Placement, chosen: Chosen) -> _Other | None:
    """The cheapest plan without the placement."""
    problem = replace(_without(placement, chosen.problem), floors=())
    form = write(problem)
    form.add(prices(problem, chosen.running))
    left = {option.id for option in problem.options}
    instances = tuple(item for item in chosen.plan.instances if item.option in left)
    found = solve(form, problem, replace(chosen.plan, instances=instances, routes=()), OTHER_PLAN_WORK)
    if found.plan is None:
        return None
    before = replace(chosen.problem, floors=())
    was = write(before)
    was.add(prices(before, chosen.running))
    now, then = _kinds(chosen.plan, was), _kinds(found.plan, form)
    gained = Counter(found.plan.placements(problem))
    gained.subtract(Counter(chosen.plan.placements(chosen.problem)))
    routed = _carried(found.plan, problem) - _carried(chosen.plan, chosen.problem)
    exact = found.proof is Proof.OPTIMAL
    gives_up = tuple(
        s.name for s in problem.policy.services if _short(found.plan, s, problem) > _short(chosen.plan, s, problem)
    )
    return _Other(+routed or +gained, {kind: then[kind] - now[kind] for kind in now}, gives_up, exact)


def _short(plan: Plan, service: Service, problem: Problem) -> tuple[int, int]:
    """How far a service falls short in a plan: its level, and what is refused in permille over its demands."""
    refused = (plan.unserved_permille(demand.id) for demand in problem.demands if demand.service == service.name)
    return plan.level(service.name), sum(refused)


def _carried(plan: Plan, problem: Problem) -> Counter[Placement]:
    """What each placement carries, in thousandths of a request times permille."""
    found: Counter[Placement] = Counter()
    for route in plan.routes:
        path = problem.path(route.path)
        for option in path.options:
            found[problem.option(option).placement] += route.share_permille * problem.demand(path.demand).rate_milli_rps
    return found


def _kinds(plan: Plan, form: Formulation) -> dict[str, float]:
    """What a plan costs for nodes and instances, for starts, and for links."""
    penalties = [row for row in form.rows if isinstance(row, Penalty)]
    begun = cost_of(plan, Formulation([Penalty(row.rule, starts=row.starts) for row in penalties]))
    links = cost_of(plan, Formulation([Penalty(row.rule, carried=row.carried) for row in penalties]))
    bought = cost_of(plan, form) - shortfall(plan, form) - begun - links
    return {PRICE: bought, START: begun, LINKS: links}


def _beside(placement: Placement, rest: Rest, chosen: Chosen) -> _Other | None:
    """What serves the demands of the placement beside all else that the plan has."""
    found = rest.without(placement, _demands(placement, chosen))
    if found is None:
        return None
    carried: Counter[Placement] = Counter()
    for path, moved in found.moved.items():
        rate = chosen.problem.demand(chosen.problem.path(path).demand).rate_milli_rps
        for option in chosen.problem.path(path).options:
            carried[chosen.problem.option(option).placement] += round(moved * rate)
    return _Other(+carried, {PRICE: found.price, START: found.starts, LINKS: found.links}, found.gives_up, exact=False)
