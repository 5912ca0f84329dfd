"""Whole shares are looked for near those in parts: as cheap as any, and soon."""

from dataclasses import replace

import pytest
from random_products import random_product

from controller.planning.build import write
from controller.planning.cpsat import CpSatForm
from controller.planning.objective import cost_of, prices
from controller.planning.solve import limited, solve, solve_in_turn
from controller.planning.whole.reading import Reading
from controller.planning.whole.residual import Open, fixed, residual
from controller.planning.whole.rows import Rows
from controller.planning.whole.shares import near
from controller.planning.work import PLAN_WORK
from rules.kernel.formulation import Formulation
from rules.kernel.plan import Plan
from rules.kernel.problem import Problem


def shares_alone(seed: int) -> tuple[Formulation, Problem]:
    """What is left to decide of a random problem when its instances are known."""
    problem = random_product(seed)
    form = write(problem)
    form.add(prices(problem, Plan()))
    best = solve(form, problem).plan
    assert best is not None
    rows = Rows(problem, form)
    opened = Open(replace(problem, options=(), nodes=()))
    return residual(rows, fixed(rows, Reading.of(best), opened), opened), opened.problem


@pytest.mark.parametrize("seed", range(12))
def test_shares_near_those_in_parts_cost_what_the_best_of_all_do(seed: int) -> None:
    form, narrow = shares_alone(seed)
    alone = solve_in_turn(form, narrow, None, PLAN_WORK, PLAN_WORK)
    beside = solve_in_turn(form, narrow, None, PLAN_WORK, PLAN_WORK, near=lambda plan: near(form, narrow, plan, gap=0))
    assert alone.plan is not None
    assert beside.plan is not None
    assert cost_of(beside.plan, form) <= cost_of(alone.plan, form) + len(narrow.paths)


def test_some_windows_around_them_hold_whole_shares() -> None:
    held = 0
    for seed in range(12):
        form, narrow = shares_alone(seed)
        plan = solve(form, narrow).plan
        assert plan is not None
        for ranges in near(form, narrow, plan, gap=0):
            engine = CpSatForm(form, narrow)
            engine.keep_within(ranges)
            solver = limited(PLAN_WORK)
            if solver.status_name(solver.solve(engine.model)) == "OPTIMAL":
                found = engine.plan(solver.value)
                assert all(
                    ranges[route.path][0] <= route.share_permille <= ranges[route.path][1] for route in found.routes
                )
                held += 1
    assert held > 12
