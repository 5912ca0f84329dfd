"""How much slower each placement is by what stands beside it, in a plan or as it runs."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from controller.decision import Crowding
from controller.fleet import RouteSet, fleet_of
from controller.performance.interference import Company
from controller.performance.neighbours import Busy, Neighbours, Often, by_pool
from controller.planning.options import Speeds
from policy.resolved import Policy
from rules.kernel.latest import Latest
from rules.kernel.plan import Plan
from rules.kernel.problem import WHOLE_PERMILLE, Demand, Node, Placement, Problem, Running

ROUNDS: Final = 8
"""Instances that are slowed are busy for longer, and slow the others more: followed so often, from all alone."""

STEP_PERMILLE: Final = 100
"""Less than this changes no prices: plans do not wander with what they themselves change."""
HALF_STEP_PERMILLE: Final = STEP_PERMILLE // 2


@dataclass(frozen=True)
class Crowd:
    """Instances on nodes, and the calls a second that routes bring each placement."""

    instances: Sequence[Running]
    nodes: Sequence[Node]
    calls_rps: Mapping[Placement, float]

    @cached_property
    def pools(self) -> Mapping[str, Neighbours]:
        """What stands beside what in each pool."""
        return by_pool(self.instances, self.nodes)


def calls_rps(policy: Policy, routes: Iterable[RouteSet], demands: Iterable[Demand]) -> dict[Placement, float]:
    """Calls a second by placement, when the demands take these routes."""
    rates = {(demand.service, demand.origin): demand.rate_milli_rps / 1000 for demand in demands}
    found: dict[Placement, float] = {}
    for item in routes:
        rate_rps = rates.get((item.service, item.origin), 0.0)
        for way in item.ways if rate_rps else ():
            for stage, placement in zip(policy.service(item.service).stages, way.placements, strict=True):
                calls = rate_rps * stage.fanout * way.weight_permille / WHOLE_PERMILLE
                found[placement] = found.get(placement, 0.0) + calls
    return found


def _beside_in_plan(plan: Plan, problem: Problem, speed: Speeds) -> Speeds:
    return _in_plan(plan, problem, speed, _calls_rps(plan, problem))


in_plan: Final = Latest(_beside_in_plan)
"""The speeds of a plan's placements beside each other, and of all others if they came to it."""


def _calls_rps(plan: Plan, problem: Problem) -> dict[Placement, float]:
    return calls_rps(problem.policy, fleet_of(plan, problem).routes, problem.demands)


def _in_plan(plan: Plan, problem: Problem, speed: Speeds, calls: Mapping[Placement, float]) -> Speeds:
    instances = [Running(problem.option(item.option).placement, item.node, item.count) for item in plan.instances]
    placements = {item.placement for item in instances} | {option.placement for option in problem.options}
    return beside(Crowd(instances, problem.nodes, calls), placements, problem.policy, speed)


def crowding(before: tuple[Crowding, ...], plan: Plan, problem: Problem, speed: Speeds) -> tuple[Crowding, ...]:
    """What the next plan is priced with: the company that this one keeps, in steps.

    A placement that stands nowhere is not taken for faster than it was when it last stood: else two that were moved
    apart would be moved together again, because each looks faster where the other one is not yet. Those of services
    that survive any site are taken to be as busy as they can be, for that is what they are when a site is lost.
    """
    standing = plan.placements(problem)
    known = {item.placement: item.permille for item in before}
    found = {}
    for place, slowdown in _at_the_busiest(plan, problem, speed).slowdowns.items():
        last, permille = known.get(place, WHOLE_PERMILLE), round(slowdown * WHOLE_PERMILLE)
        near = abs(permille - last) < STEP_PERMILLE or (place not in standing and permille < last)
        found[place] = last if near else round(permille / HALF_STEP_PERMILLE) * HALF_STEP_PERMILLE
    return tuple(Crowding(*item) for item in sorted({**known, **found}.items()) if item[1] > WHOLE_PERMILLE)


def _at_the_busiest(plan: Plan, problem: Problem, speed: Speeds) -> Speeds:
    """The speeds in a plan while what survives any site is as busy as it can be."""
    surviving = [service for service in problem.policy.services if service.survives_any_site]
    if not surviving:
        return in_plan(plan, problem, speed)
    models = {stage.model for service in surviving for stage in service.stages}
    most = {option.placement: math.inf for option in problem.options if option.placement.model in models}
    return _in_plan(plan, problem, speed, {**_calls_rps(plan, problem), **most})


def on_full_devices(problem: Problem, speed: Speeds) -> tuple[Crowding, ...]:
    """What a first plan is priced with: the company of others that want all that a device has left, in steps.

    A busy neighbour of share s_j slows one of share s by s * s_j as long as nobody knows better, and the shares on a
    device sum to no more than it offers, so together they slow it by s * (offered - s).
    """
    found = {}
    for place in {option.placement for option in problem.options}:
        pool = problem.policy.pool(place.pool)
        share = speed.effects.shares[place.model, place.variant, pool.device]
        slower = share * max(0.0, pool.share_permille / WHOLE_PERMILLE - share)
        found[place] = WHOLE_PERMILLE + math.ceil(slower * WHOLE_PERMILLE / HALF_STEP_PERMILLE) * HALF_STEP_PERMILLE
    return tuple(Crowding(*item) for item in sorted(found.items(), key=_by_name) if item[1] > WHOLE_PERMILLE)


def _by_name(item: tuple[Placement, int]) -> tuple[str, str, str]:
    place, _ = item
    return place.model, place.variant, place.pool


def beside(crowd: Crowd, placements: Iterable[Placement], policy: Policy, speed: Speeds) -> Speeds:
    """The speeds of placements beside what stands; they may be among it, or still to come."""
    totals: Counter[Placement] = Counter()
    for item in crowd.instances:
        totals[item.placement] += item.count
    speed = replace(speed, slowdowns={})
    for _ in range(ROUNDS):
        slower = replace(speed, slowdowns=_slowdowns(crowd, totals, policy, speed))
        if slower.slowdowns == speed.slowdowns:
            break
        speed = slower
    busy = _busy(crowd, totals, policy, speed)
    often, coming = _often(crowd, busy), dict[str, tuple[Company, float]]()

    def slowdown(place: Placement) -> float:
        if place in totals:
            return _slowdown(place, crowd.pools[place.pool].company(place, often[place.pool]), policy, speed)
        device = policy.pool(place.pool).device
        if place.pool not in coming:
            here = crowd.pools[place.pool]
            company = here.awaiting(here.often(busy))
            coming[place.pool] = company, speed.effects.wanted(company, device)
        return speed.effects.slowdown((place.model, place.variant, device), *coming[place.pool])

    return replace(speed, slowdowns={place: slowdown(place) for place in sorted(placements)})


def _slowdowns(crowd: Crowd, totals: Mapping[Placement, int], policy: Policy, speed: Speeds) -> dict[Placement, float]:
    often = _often(crowd, _busy(crowd, totals, policy, speed))
    return {
        place: _slowdown(place, crowd.pools[place.pool].company(place, often[place.pool]), policy, speed)
        for place in totals
    }


def _often(crowd: Crowd, busy: Busy) -> dict[str, Often]:
    """How often instances are busy, by pool of the crowd."""
    return {pool: here.often(busy) for pool, here in crowd.pools.items()}


def _slowdown(place: Placement, company: Company, policy: Policy, speed: Speeds) -> float:
    return speed.effects.slowdown((place.model, place.variant, policy.pool(place.pool).device), company)


def _busy(crowd: Crowd, totals: Mapping[Placement, int], policy: Policy, speed: Speeds) -> dict[Placement, float]:
    """The instances of each placement that compute at a time.

    An instance that gets as many calls as it can take one by one always computes: with more, its batches grow.
    """
    found = {}
    for place, count in totals.items():
        device = policy.pool(place.pool).device
        if (place.model, place.variant, device) in speed.profiles:
            calls = crowd.calls_rps.get(place, 0.0)
            found[place] = min(float(count), calls * speed.batch_us(place, device, 1) / 1e6)
    return found
