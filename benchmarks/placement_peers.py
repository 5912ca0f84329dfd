"""Other ways to plan a fleet, in the same run: plain models for general solvers, and a local search of single moves.

The plain models are what the problem reads like: instances of each option on each node, nodes that are powered, and how
much of each demand each option serves. The local search moves one instance at a time to where it costs least, as
ReBalancer's does (Kumar et al., OSDI 2024), without tearing anything down.
"""

import time
from dataclasses import dataclass
from typing import Final

import numpy as np
from ortools.sat.python import cp_model
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array, csr_array

from controller.compiled import compiled
from controller.planning.fleet.layout import Layout, layout
from controller.planning.fleet.packed import EMPTY, Floats, Ints, PackedPlan, PackedProblem, first_nodes
from controller.planning.fleet.ranking import ranked
from controller.planning.fleet.recreate import Mood, serve
from controller.planning.fleet.search import Search
from controller.planning.fleet.standing import Standing, plan_of, remove, settle, standing, take_back

SCALE: Final = 10_000
"""Costs and rates are whole numbers in CP-SAT: so many parts of a dollar, and of a request a second."""


MOVES: Final = 200
"""Single moves between two looks at the clock."""


@dataclass(frozen=True, slots=True)
class Plain:
    """The plain model: rows @ x <= high and 0 <= x <= most, with x = [instances, powered, served]."""

    cost: Floats
    rows: csr_array
    high: Floats
    most: Floats
    whole: Ints
    options: Ints
    nodes: Ints


def plain(problem: PackedProblem) -> Plain:
    """The model as a matrix; all rows have no lower end. Cost leaves out what no demand served costs."""
    first = first_nodes(problem)
    counts = problem.pool_nodes[problem.option_pool]
    options = np.repeat(np.arange(counts.size), counts)
    nodes = np.concatenate([np.arange(first[pool], first[pool + 1]) for pool in problem.option_pool])
    node_pool = np.repeat(np.arange(problem.pool_nodes.size), problem.pool_nodes)
    ways_option, ways_demand = _ways(problem)
    placed, powered = options.size, node_pool.size
    resources = problem.pool_capacity.shape[1]
    here = np.arange(placed)
    room = [(nodes + at * powered, here, problem.option_use[options, at].astype(float)) for at in range(resources)]
    have = [
        (
            np.arange(powered) + at * powered,
            placed + np.arange(powered),
            -problem.pool_capacity[node_pool, at].astype(float),
        )
        for at in range(resources)
    ]
    base = resources * powered
    ways = placed + powered + np.arange(ways_option.size)
    rates = problem.demand_urps[ways_demand] / 1e6
    given = [
        (base + ways_option, ways, rates),
        (base + options, here, -problem.option_urps[options] / 1e6),
    ]
    base += counts.size
    once = [(base + ways_demand, ways, np.ones(ways.size))]
    entries = [*room, *have, *given, *once]
    row, column, value = (np.concatenate(parts) for parts in zip(*entries, strict=True))
    shape = (base + problem.demand_urps.size, placed + powered + ways.size)
    high = np.zeros(shape[0])
    high[base:] = 1.0
    worth = problem.demand_worth[ways_demand] * problem.demand_urps[ways_demand]
    return Plain(
        np.concatenate((problem.option_price[options], problem.pool_price[node_pool], -worth)),
        coo_array((value, (row, column)), shape=shape).tocsr(),
        high,
        np.concatenate((np.full(placed, 64.0), np.ones(powered + ways.size))),
        np.concatenate((np.ones(placed + powered, np.int64), np.zeros(ways.size, np.int64))),
        options,
        nodes,
    )


def _ways(problem: PackedProblem) -> tuple[Ints, Ints]:
    """Each option with each demand that it reaches."""
    model = np.repeat(np.arange(problem.first_option.size - 1), np.diff(problem.first_option))
    found = [
        (option, demand)
        for option, (first, last) in enumerate(
            zip(problem.first_demand[model].tolist(), problem.first_demand[model + 1].tolist(), strict=True)
        )
        for demand in range(first, last)
        if problem.option_reach[option] >> (demand - first) & 1
    ]
    columns = np.array(found, np.int64).reshape(-1, 2)
    return columns[:, 0].copy(), columns[:, 1].copy()


def by_highs(problem: PackedProblem, seconds: float) -> PackedPlan:
    """The plain model in HiGHS, for so long."""
    model = plain(problem)
    found = milp(
        model.cost,
        integrality=model.whole,
        bounds=Bounds(0, model.most),
        constraints=LinearConstraint(model.rows, -np.inf, model.high),
        options={"time_limit": seconds},
    )
    return EMPTY if found.x is None else _placed(model, np.rint(found.x[: model.options.size]).astype(np.int64))


def by_cpsat(problem: PackedProblem, seconds: float) -> PackedPlan:
    """The plain model in CP-SAT with two workers, for so long; shares of demands in ten thousandths."""
    model, form = plain(problem), cp_model.CpModel()
    whole = model.whole.astype(bool)
    upper = np.where(whole, model.most, SCALE).astype(int)
    unknown = [form.new_int_var(0, most, "") for most in upper.tolist()]
    weights = np.where(whole, SCALE, 1.0)
    for row in range(model.rows.shape[0]):
        part = slice(model.rows.indptr[row], model.rows.indptr[row + 1])
        columns = model.rows.indices[part]
        values = np.rint(model.rows.data[part] * weights[columns]).astype(int)
        terms = [unknown[column] for column in columns.tolist()]
        form.add(cp_model.LinearExpr.weighted_sum(terms, values.tolist()) <= int(SCALE * model.high[row]))
    form.minimize(cp_model.LinearExpr.weighted_sum(unknown, np.rint(model.cost * weights * SCALE).astype(int).tolist()))
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = seconds
    solver.parameters.num_workers = 2
    if solver.solve(form) not in {cp_model.OPTIMAL, cp_model.FEASIBLE}:
        return EMPTY
    return _placed(model, np.array([solver.value(item) for item in unknown[: model.options.size]], np.int64))


def _placed(model: Plain, counts: Ints) -> PackedPlan:
    return PackedPlan(np.repeat(model.options, counts), np.repeat(model.nodes, counts))


def by_greedy(problem: PackedProblem) -> PackedPlan:
    """Models by size, each instance where it costs least: what the search starts from."""
    return Search(problem).plan


def by_single_moves(problem: PackedProblem, seconds: float, seed: int = 1) -> PackedPlan:
    """From the greedy plan on, one instance at a time to where it costs least, for so long."""
    fixed = layout(problem)
    at = standing(problem, fixed, by_greedy(problem))
    order, dice = ranked(problem, fixed), np.random.default_rng(seed)
    began = time.perf_counter()
    while time.perf_counter() - began < seconds:
        _moves(problem, fixed, at, order, dice)
    return plan_of(at.node_option)


@compiled
def _moves(problem: PackedProblem, fixed: Layout, at: Standing, order: Ints, dice: np.random.Generator) -> None:
    mood = Mood(opening=1.0, gift=1.0, noise=0.0, everything=True)
    for _ in range(MOVES):
        node = int(at.node_held.size * dice.random())
        if at.node_held[node] == 0:
            continue
        before = at.total[0]
        at.written[0] = 0
        option = at.node_option[node, int(at.node_held[node] * dice.random())]
        model = fixed.option_model[option]
        remove(problem, fixed, at, option, node)
        serve(problem, fixed, at, order, model, mood, dice)
        if at.total[0] > before:
            take_back(problem, fixed, at)
            settle(problem, fixed, at, model)
            at.total[0] = before
