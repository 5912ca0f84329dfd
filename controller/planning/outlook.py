"""What callers will see under a plan: every stage at the load and with the instances that the plan gives it."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from controller.decision import Forecast, KnownBurst
from controller.performance.bursts import burst_of
from controller.performance.pipeline import chains, leg
from controller.performance.surface import LEVELS
from controller.planning.beside import in_plan
from controller.planning.network import network_us
from controller.planning.options import Speeds
from controller.planning.pricing import is_last
from controller.planning.stages import At, stage_quantiles_us
from rules.kernel.plan import Plan, Route
from rules.kernel.problem import WHOLE_PERMILLE, Demand, Path, Problem

Floats = NDArray[np.float64]


def forecasts(plan: Plan, problem: Problem, speed: Speeds, bursts: tuple[KnownBurst, ...] = ()) -> tuple[Forecast, ...]:
    """p50, p95 and p99 of each demand, over all its routes by their shares; zeros where nothing of it is served."""
    speed = in_plan(plan, problem, speed)
    at = _standing(plan, problem, speed)
    routed = _routed(plan, problem)
    found = []
    for demand in problem.demands:
        carried = _Carried(demand, tuple(routed[demand.id]), problem, speed, at, bursts)
        p50, p95, p99 = carried.percentiles_us()
        served = WHOLE_PERMILLE - plan.unserved_permille(demand.id)
        asked = any(each.of_first for each in problem.service_of(demand).latency_from(demand.origin))
        first_us = carried.percentiles_us(of_first=True)[-1] if asked else 0
        found.append(Forecast(demand.service, demand.origin, demand.rate_milli_rps, p50, p95, p99, served, first_us))
    return tuple(found)


def first_response_us(
    plan: Plan, problem: Problem, speed: Speeds, demand: Demand, bursts: tuple[KnownBurst, ...] = ()
) -> tuple[int, int, int]:
    """p50, p95 and p99 of the time until the responses of a demand begin; `speed` is that in the plan."""
    routes = tuple(_routed(plan, problem)[demand.id])
    return _Carried(demand, routes, problem, speed, _standing(plan, problem, speed), bursts).percentiles_us(
        of_first=True
    )


@dataclass(frozen=True, slots=True)
class _Carried:
    """A demand on its routes, with what stands on them; `at` is by option."""

    demand: Demand
    routes: tuple[Route, ...]
    problem: Problem
    speed: Speeds
    at: Mapping[str, At]
    bursts: tuple[KnownBurst, ...]

    def percentiles_us(self, *, of_first: bool = False) -> tuple[int, int, int]:
        """p50, p95 and p99 over all routes by their shares: of whole responses, or until these begin."""
        paths = [self.problem.path(route.path) for route in self.routes]
        burst = burst_of(self.bursts, self.demand.service, self.demand.origin)
        asked = {name: replace(self.at[name], burst=burst) for path in paths for name in path.options}
        taken = [_samples(path, self.demand, self.problem, self.speed, asked, of_first=of_first) for path in paths]
        return _percentiles(taken, [route.share_permille for route in self.routes])


def _standing(plan: Plan, problem: Problem, speed: Speeds) -> dict[str, At]:
    """By option in use, its instances and how busy they are."""
    counts = _counts(plan)
    return {name: At(counts[name], busy) for name, busy in utilisations(plan, problem, speed).items()}


def _routed(plan: Plan, problem: Problem) -> defaultdict[str, list[Route]]:
    """By demand, its routes."""
    routed: defaultdict[str, list[Route]] = defaultdict(list)
    for route in plan.routes:
        routed[problem.path(route.path).demand].append(route)
    return routed


def _counts(plan: Plan) -> Counter[str]:
    """Instances by option."""
    counts: Counter[str] = Counter()
    for item in plan.instances:
        counts[item.option] += item.count
    return counts


def utilisations(plan: Plan, problem: Problem, speed: Speeds) -> dict[str, float]:
    """By option, the calls that the routes bring it over those that its instances could answer in full batches."""
    brought: Counter[str] = Counter()
    for route in plan.routes:
        path = problem.path(route.path)
        demand = problem.demand(path.demand)
        for stage, option_id in zip(problem.service_of(demand).stages, path.options, strict=True):
            brought[option_id] += route.share_permille * demand.rate_milli_rps * stage.fanout
    counts, busy = _counts(plan), {}
    for option_id, calls in brought.items():
        option = problem.option(option_id)
        batch_us = speed.batch_us(option.placement, problem.pool_of(option).device, option.max_batch)
        answers_milli_rps = counts[option_id] * option.max_batch * 1e9 / batch_us
        busy[option_id] = calls / answers_milli_rps / WHOLE_PERMILLE if answers_milli_rps else 1.0
    return busy


def _samples(
    path: Path, demand: Demand, problem: Problem, speed: Speeds, at: Mapping[str, At], *, of_first: bool = False
) -> Floats:
    """Samples of what the path takes; with `of_first` until the responses of its last stages begin."""
    service = problem.service_of(demand)
    legs = []
    for i, (stage, option) in enumerate(zip(service.stages, map(problem.option, path.options), strict=True)):
        begins = of_first and is_last(service, stage.name)
        stage_us = stage_quantiles_us(problem.policy, stage, option, speed, at[option.id], of_first=begins)
        legs.append(leg(i, stage_us, network_us(problem.policy, demand, stage, option, path.encoding(i))))
    total: Floats = np.max([np.sum([legs[i] for i in way], axis=0) for way in chains(service.stages)], axis=0)
    return total


def _percentiles(taken: list[Floats], shares: list[int]) -> tuple[int, int, int]:
    """p50, p95 and p99 of samples, each list of them with its share; zeros where there is none."""
    if not taken or not sum(shares):
        return 0, 0, 0
    weights = np.repeat(np.array(shares, np.float64), LEVELS)
    if len(taken) == 1:  # all weigh the same
        values = np.sort(taken[0])
    else:
        values = np.concatenate(taken)
        order = np.argsort(values)
        values, weights = values[order], weights[order]
    reached = np.cumsum(weights) / weights.sum()
    p50, p95, p99 = (int(values[int(np.searchsorted(reached, part))]) for part in (0.5, 0.95, 0.99))
    return p50, p95, p99
