"""What instances serve together, against a linear programme over routes."""

import numpy as np
import pytest
from random_fleet import random_fleet
from scipy.optimize import linprog

from controller.planning.fleet.covering import cost_missing, cost_with, cost_without, lessen, offer, worsen
from controller.planning.fleet.layout import layout
from controller.planning.fleet.packed import URPS, PackedPlan, PackedProblem
from controller.planning.fleet.routing import routes
from controller.planning.fleet.standing import standing
from controller.planning.fleet.subsets import first_subsets, subset_urps


def _unserved_cost(problem: PackedProblem, model: int, held: np.ndarray) -> float:
    """The least cost of what one model does not serve: a transport problem over its demands and options."""
    demands = range(problem.first_demand[model], problem.first_demand[model + 1])
    options = range(problem.first_option[model], problem.first_option[model + 1])
    ways = [(at, option) for at in range(len(demands)) for option in options if problem.option_reach[option] >> at & 1]
    asked = problem.demand_urps[demands.start : demands.stop]
    rows = [[float(way[0] == at) for way in ways] for at in range(len(demands))]
    rows += [[float(way[1] == option) for way in ways] for option in options]
    limits = np.array([*asked, *(held[option] * problem.option_urps[option] for option in options)]) / URPS
    worth = problem.demand_worth[demands.start : demands.stop] * URPS
    found = linprog([-worth[at] for at, _ in ways], A_ub=rows, b_ub=limits, method="highs")
    return float(worth @ asked / URPS + found.fun)


def _gaps(problem: PackedProblem, model: int, held: np.ndarray) -> np.ndarray:
    subsets = slice(*first_subsets(problem)[model : model + 2])
    gap = subset_urps(problem)[subsets].copy()
    for option in range(problem.first_option[model], problem.first_option[model + 1]):
        reached = np.arange(gap.size) & problem.option_reach[option] > 0
        gap -= reached * held[option] * problem.option_urps[option]
    return gap


@pytest.mark.parametrize("seed", range(60))
def test_the_largest_gap_of_subsets_is_what_no_routing_can_serve(seed: int) -> None:
    problem = random_fleet(seed)
    held = np.random.default_rng(seed).integers(0, 3, problem.option_pool.size)
    for model in range(problem.first_option.size - 1):
        gap = _gaps(problem, model, held)
        worst = np.empty_like(gap)
        worsen(gap, worst)
        worth = problem.demand_worth[problem.first_demand[model] : problem.first_demand[model + 1]]
        assert cost_missing(worst, worth) == pytest.approx(_unserved_cost(problem, model, held), abs=1e-6)


@pytest.mark.parametrize("seed", range(40))
def test_one_more_and_one_less_are_told_without_counting_anew(seed: int) -> None:
    problem = random_fleet(seed)
    held = np.random.default_rng(seed).integers(0, 2, problem.option_pool.size)
    for model in range(problem.first_option.size - 1):
        worth = problem.demand_worth[problem.first_demand[model] : problem.first_demand[model + 1]]
        for option in range(problem.first_option[model], problem.first_option[model + 1]):
            urps, reach = problem.option_urps[option], problem.option_reach[option]
            gap = _gaps(problem, model, held)
            before, after = np.empty_like(gap), np.empty_like(gap)
            worsen(gap, before)
            offered = gap.copy()
            offer(offered, urps, reach)
            worsen(offered, after)
            assert cost_with(before, worth, urps, reach) == pytest.approx(cost_missing(after, worth), abs=1e-9)
            assert cost_without(offered, worth, urps, reach) == pytest.approx(cost_missing(before, worth), abs=1e-9)
            lessen(before, urps, reach)
            assert np.array_equal(before, after)


@pytest.mark.parametrize("seed", range(30))
def test_routes_serve_what_a_plan_is_said_to_serve(seed: int) -> None:
    problem = random_fleet(seed)
    fixed = layout(problem)
    dice = np.random.default_rng(seed)
    chosen = dice.integers(0, problem.option_pool.size, 12)
    pools = problem.option_pool[chosen]
    nodes = fixed.first_node[pools] + dice.integers(0, 2, 12)
    there = nodes < fixed.first_node[pools + 1]
    at = standing(problem, fixed, PackedPlan(chosen[there], nodes[there]))
    held_nodes, slots = np.nonzero(np.arange(at.node_option.shape[1]) < at.node_held[:, None])
    found = routes(problem, PackedPlan(at.node_option[held_nodes, slots], held_nodes))
    served = np.bincount(found.demand, weights=found.urps, minlength=problem.demand_urps.size)
    unserved = (problem.demand_urps - served) @ problem.demand_worth
    assert unserved == pytest.approx(at.missed.sum(), abs=1e-6)
    given = np.bincount(found.option, weights=found.urps, minlength=problem.option_pool.size)
    assert (given <= at.held * problem.option_urps).all()
    assert ((problem.option_reach[found.option] >> (found.demand - _first(problem, found.demand))) & 1).all()


def _first(problem: PackedProblem, demands: np.ndarray) -> np.ndarray:
    """The first demand of each demand's model."""
    return problem.first_demand[np.searchsorted(problem.first_demand, demands, side="right") - 1]
