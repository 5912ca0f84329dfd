"""For each placement of a plan the next best thing: what would stand instead, at what cost more, and why it loses.

On a small fleet it is the cheapest plan with the placement barred, by CP-SAT. On a large one all else of the plan stays
where it is, and a linear programme over pools serves what went through the placement elsewhere: "about".
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
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

_Setting = tuple[int, int, int]
"""The largest batch, the delay of its queue in us, and the load in permille that it is planned for."""


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


@dataclass(frozen=True)
class Chosen:
    """A plan with the problem it solves, what is excluded from that, and what ran before."""

    plan: Plan
    problem: Problem
    exclusions: tuple[Exclusion, ...]
    running: Plan

    @cached_property
    def demands(self) -> Mapping[Placement, frozenset[str]]:
        """By placement, the demands that are served through it."""
        found: defaultdict[Placement, set[str]] = defaultdict(set)
        for path in (self.problem.path(route.path) for route in self.plan.routes):
            for option in path.options:
                found[self.problem.option(option).placement].add(path.demand)
        return {placement: frozenset(names) for placement, names in found.items()}

    @cached_property
    def settings(self) -> Mapping[Placement, frozenset[_Setting]]:
        """By placement, the settings that it runs with."""
        found: defaultdict[Placement, set[_Setting]] = defaultdict(set)
        for option in map(self.problem.option, self.plan.used_options()):
            found[option.placement].add(_setting(option))
        return {placement: frozenset(used) for placement, used in found.items()}

    def first_bar(self, options: Iterable[Option], demands: Collection[str]) -> Exclusion | None:
        """The first exclusion that keeps any of these options from any of these demands."""
        pairs = (
            self._bars[option.id, name] for option in options for name in demands if (option.id, name) in self._bars
        )
        first = min(pairs, default=None)
        return None if first is None else self.exclusions[first]

    @cached_property
    def _bars(self) -> Mapping[tuple[str, str], int]:
        """By option and demand, the place of the first exclusion."""
        backwards = range(len(self.exclusions) - 1, -1, -1)
        return {(self.exclusions[at].option, self.exclusions[at].demand): at for at in backwards}

    @cached_property
    def by_model(self) -> Mapping[str, tuple[Option, ...]]:
        """The options of each model."""
        found: defaultdict[str, list[Option]] = defaultdict(list)
        for option in self.problem.options:
            found[option.placement.model].append(option)
        return {model: tuple(options) for model, options in found.items()}


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
    asked = sorted(wanted.intersection(chosen.demands))
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
    settings = chosen.settings.get(placement, frozenset())
    there = (o for o in chosen.by_model[instead.model] if o.placement == instead and _setting(o) in settings)
    return chosen.first_bar(there, chosen.demands[placement])


def _setting(option: Option) -> _Setting:
    return option.max_batch, option.queue_delay_us, option.load_permille


def _barred(placement: Placement, chosen: Chosen) -> tuple[str, str, Place | None] | None:
    """The first thing that bars other placements of the model from these demands."""
    others = (option for option in chosen.by_model[placement.model] if option.placement != placement)
    row = chosen.first_bar(others, chosen.demands[placement])
    return (row.rule, row.reason, row.place) if row else None


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
    found = rest.without(placement, chosen.demands[placement])
    if found is None:
        return None
    carried: Counter[Placement] = Counter()
    for path, moved in found.moved.items():
        rate = chosen.problem.demand(chosen.problem.path(path).demand).rate_milli_rps
        for option in chosen.problem.path(path).options:
            carried[chosen.problem.option(option).placement] += round(moved * rate)
    return _Other(+carried, {PRICE: found.price, START: found.starts, LINKS: found.links}, found.gives_up, exact=False)
