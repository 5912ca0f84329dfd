"""What the payloads of a tiny problem cost on their way, and the cheapest routes where that counts.

HiGHS' branch and bound (Huangfu and Hall 2018) splits the requests, over no more than some dozen paths; what it gives
is added up again in whole numbers. The engines have it solve linear programmes alone.
"""

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from every_route import Flow
from scipy.optimize import Bounds, LinearConstraint, milp

from rules.kernel.problem import WHOLE_PERMILLE, Path, Problem

GIB = 2**30


def of_a_request(problem: Problem, path: Path) -> Fraction:
    """Millicents that links take for one request on a path."""
    demand = problem.demand(path.demand)
    sites = {pool.name: pool.site for pool in problem.policy.pools}
    prices: Mapping[tuple[str, str], int] = {
        (price.site, other): price.millicents_per_gib
        for link in problem.policy.links
        for price in link.egress
        for other in (link.a, link.b)
        if other != price.site
    }
    total = Fraction(0)
    for number, stage in enumerate(problem.policy.service(demand.service).stages):
        there = sites[problem.option(path.options[number]).placement.pool]
        sizes = {each.format: each.payload_bytes for each in stage.encodings} | {"": stage.payload_bytes}
        gib = Fraction(sizes[path.encodings[number] if path.encodings else ""], GIB) * stage.fanout
        total += gib * prices.get((demand.origin, there), 0)
    return total


def of_all_requests(problem: Problem, path: Path) -> int:
    """Whole millicents an hour, should all requests of a demand take a path."""
    return math.ceil(of_a_request(problem, path) * problem.demand(path.demand).rate_milli_rps * Fraction(36, 10))


def used_by_all(problem: Problem, path: Path) -> int:
    """Whole millicents an hour for parts of nodes and payloads, should all requests of a demand take a path."""
    return math.ceil(used_by_a_request(problem, path) * problem.demand(path.demand).rate_milli_rps * Fraction(36, 10))


def used_by_a_request(problem: Problem, path: Path) -> Fraction:
    """Millicents of the hours of nodes that a request takes, by memory or compute, and of its payloads' way."""
    pools = {pool.name: pool for pool in problem.policy.pools}
    stages = problem.policy.service(problem.demand(path.demand).service).stages
    cost = of_a_request(problem, path)
    for stage, name in zip(stages, path.options, strict=True):
        option = problem.option(name)
        pool = pools[option.placement.pool]
        hours = Fraction(stage.fanout * 1000, option.capacity_milli_rps * 3600)
        of_memory, of_compute = (
            hours * Fraction(option.memory_mib, pool.memory_mib),
            hours * Fraction(option.share_permille, pool.share_permille),
        )
        cost += pool.price_millicents_per_hour * (max(of_compute, of_memory))
    return cost


class Room(NamedTuple):
    """The most that all paths may come to: thousandths of a millicent an hour, or millionths of an instance."""

    prices: Mapping[tuple[int, int], int]
    """By demand and place among its paths, what a permille takes."""
    most: int


def cheapest(flow: Flow, carried: Mapping[tuple[int, int], int], answers: np.ndarray, rooms: list[Room]) -> float:
    """Thousandths of a millicent of refusing and carrying at the least; infinite where no split keeps all rooms."""
    ways = [(demand, at) for demand, paths in enumerate(flow.paths) for at in range(len(paths))]
    many = len(ways)
    refused = list(flow.price)
    cost = np.array([carried.get(way, 0) for way in ways] + [WHOLE_PERMILLE * price for price in refused], float)
    rows, lowest, highest = [], [], []

    def add(factors: Mapping[int, int], least: float, most: float) -> None:
        row = np.zeros(many + len(refused))
        for column, factor in factors.items():
            row[column] = factor
        rows.append(row)
        lowest.append(least)
        highest.append(most)

    for demand in range(len(flow.paths)):
        own = {column: 1 for column, way in enumerate(ways) if way[0] == demand}
        add({**own, many + demand: 1}, WHOLE_PERMILLE, WHOLE_PERMILLE)
    for option in sorted({option for paths in flow.paths for path in paths for option in path}):
        asked = {
            column: sum(
                calls for calls, name in zip(flow.calls[demand], flow.paths[demand][at], strict=True) if name == option
            )
            for column, (demand, at) in enumerate(ways)
        }
        add(asked, -np.inf, float(answers[option]))
    for room in rooms:
        add({column: room.prices.get(way, 0) for column, way in enumerate(ways)}, -np.inf, room.most)
    most = [WHOLE_PERMILLE] * many + list(flow.most_refused)
    found = milp(
        cost,
        constraints=LinearConstraint(np.array(rows), lowest, highest),
        bounds=Bounds(0, most),
        integrality=np.ones(cost.size),
        options={"mip_rel_gap": 0},
    )
    if found.x is None:
        return math.inf
    whole = [round(value) for value in found.x.tolist()]
    return sum(int(price) * value for price, value in zip(cost.tolist(), whole, strict=True))
