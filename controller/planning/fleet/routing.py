"""Which instances answer which demand: a largest flow for each model, the dearest demand first.

Augmenting paths (Ford and Fulkerson 1956) never take from a demand that was served before, so serving the demands in
order of worth leaves unserved exactly what `covering.missing` counts.
"""

from dataclasses import dataclass

import numpy as np

from controller.compiled import compiled
from controller.planning.fleet.packed import Ints, PackedPlan, PackedProblem


@dataclass(frozen=True, slots=True)
class Routes:
    """So many micro-requests a second of a demand to the instances of an option."""

    demand: Ints
    option: Ints
    urps: Ints


def routes(problem: PackedProblem, plan: PackedPlan) -> Routes:
    """The routes of a plan that serve most, the dearest demands first."""
    held = np.bincount(plan.instance_option, minlength=problem.option_pool.size)
    found = [(np.empty(0, np.int64),) * 3]
    for model in range(problem.first_option.size - 1):
        first, last = problem.first_option[model], problem.first_option[model + 1]
        options = first + np.flatnonzero(held[first:last])
        demands = slice(problem.first_demand[model], problem.first_demand[model + 1])
        room = held[options] * problem.option_urps[options]
        flow = _flow(problem.demand_urps[demands], room, problem.option_reach[options])
        served, by = np.nonzero(flow)
        found.append((demands.start + served, options[by], flow[served, by]))
    return Routes(*(np.concatenate(columns) for columns in zip(*found, strict=True)))


@compiled
def _flow(asked: Ints, room: Ints, reach: Ints) -> Ints:
    """[demands, options]: how much of each demand each option answers."""
    flow = np.zeros((asked.size, room.size), np.int64)
    left = room.copy()
    for demand in range(asked.size):
        missing = asked[demand]
        while missing > 0:
            pushed = _augment(flow, left, reach, demand, missing)
            if pushed == 0:
                break
            missing -= pushed
    return flow


@compiled
def _augment(flow: Ints, left: Ints, reach: Ints, demand: int, most: int) -> int:
    """Push up to `most` along a shortest path from a demand to an option with room, by other demands' detours."""
    demands, options = flow.shape
    came_from = np.full(options, -1)
    queue = np.empty(demands, np.int64)
    via = np.full(demands, -1)
    seen = np.zeros(demands, np.bool_)
    seen[demand] = True
    queue[0], size, at, end = demand, 1, 0, -1
    while at < size and end < 0:
        here = queue[at]
        at += 1
        for option in range(options):
            if came_from[option] >= 0 or not (reach[option] >> here) & 1:
                continue
            came_from[option] = here
            if left[option] > 0:
                end = option
                break
            for other in range(demands):
                if not seen[other] and flow[other, option] > 0:
                    seen[other] = True
                    via[other] = option
                    queue[size] = other
                    size += 1
    return 0 if end < 0 else _push(flow, left, came_from, via, demand, end, most)


@compiled
def _push(flow: Ints, left: Ints, came_from: Ints, via: Ints, demand: int, end: int, most: int) -> int:
    """Along the path that was found, as much as its narrowest part takes."""
    amount = min(most, left[end])
    here = came_from[end]
    while here != demand:
        amount = min(amount, flow[here, via[here]])
        here = came_from[via[here]]
    option, here = end, came_from[end]
    left[end] -= amount
    while True:
        flow[here, option] += amount
        if here == demand:
            return int(amount)
        option = via[here]
        flow[here, option] -= amount
        here = came_from[option]
