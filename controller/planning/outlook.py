"""What callers will see under a plan: every stage at the load and with the instances that the plan gives it."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import replace

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
    counts = _counts(plan)
    at = {name: At(counts[name], busy) for name, busy in utilisations(plan, problem, speed).items()}
    routed: defaultdict[str, list[Route]] = defaultdict(list)
    for route in plan.routes:
        routed[problem.path(route.path).demand].append(route)
    found = []
    for demand in problem.demands:
        routes = routed[demand.id]
        paths = [problem.path(route.path) for route in routes]
        burst = burst_of(bursts, demand.service, demand.origin)
        asked = {name: replace(at[name], burst=burst) for path in paths for name in path.options}
        samples = [_samples(path, demand, problem, speed, asked) for path in paths]
        p50, p95, p99 = _percentiles(samples, [route.share_permille for route in routes])
        served = WHOLE_PERMILLE - plan.unserved_permille(demand.id)
        first_us = 0
        if any(each.of_first for each in problem.service_of(demand).latency_from(demand.origin)):
            begun = [_samples(path, demand, problem, speed, asked, of_first=True) for path in paths]
            first_us = _percentiles(begun, [route.share_permille for route in routes])[-1]
        found.append(Forecast(demand.service, demand.origin, demand.rate_milli_rps, p50, p95, p99, served, first_us))
    return tuple(found)


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


def _percentiles(samples: list[Floats], shares: list[int]) -> tuple[int, int, int]:
    if not samples or not sum(shares):
        return 0, 0, 0
    values = np.concatenate(samples)
    order = np.argsort(values)
    weights = np.repeat(np.array(shares, np.float64), LEVELS)[order]
    reached = np.cumsum(weights) / weights.sum()
    p50, p95, p99 = (int(values[order[int(np.searchsorted(reached, part))]]) for part in (0.5, 0.95, 0.99))
    return p50, p95, p99
