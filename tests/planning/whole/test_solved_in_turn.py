"""What is given up first and then the price, as two questions instead of one."""

from dataclasses import replace

from random_products import random_product

from controller.decision import Proof
from controller.planning.build import write
from controller.planning.objective import cost_of, prices, shortfall
from controller.planning.solve import solve, solve_in_turn
from controller.planning.work import PLAN_WORK
from rules.kernel.formulation import Count, Formulation
from rules.kernel.plan import Plan
from rules.kernel.problem import Problem


def form_of(problem: Problem) -> Formulation:
    form = write(problem)
    form.add(prices(problem, Plan()))
    return form


def short_of_nodes(seed: int) -> Problem:
    """A problem of which a part has to be degraded or refused."""
    problem = random_product(seed)
    return replace(problem, nodes=problem.nodes[:1])


def test_two_questions_come_to_what_one_comes_to() -> None:
    gave_up = 0
    for problem in map(short_of_nodes, range(20)):
        form = form_of(problem)
        whole = solve(form, problem)
        parted = solve_in_turn(form, problem, None, PLAN_WORK, PLAN_WORK)
        assert (whole.plan is None) == (parted.plan is None)
        if whole.plan is None or parted.plan is None or whole.proof is not Proof.OPTIMAL:
            continue
        gave_up += shortfall(whole.plan, form) > 0
        assert shortfall(parted.plan, form) == shortfall(whole.plan, form)
        assert cost_of(parted.plan, form) == parted.cost == whole.cost
    assert gave_up > 5


def test_a_plan_that_gives_up_the_least_is_given_where_there_is_no_time_for_its_price() -> None:
    problem = short_of_nodes(0)
    form = form_of(problem)
    least = solve_in_turn(form, problem, None, PLAN_WORK, PLAN_WORK).plan
    hasty = solve_in_turn(form, problem, None, PLAN_WORK, 0.0).plan
    assert least is not None
    assert hasty is not None
    assert shortfall(hasty, form) == shortfall(least, form)


def test_rows_that_cannot_all_be_kept_have_no_plan() -> None:
    problem = random_product(0)
    form = form_of(problem)
    options = tuple(option.id for option in problem.options)
    form.rows.append(Count("test", None, options, 3, 2))
    assert solve_in_turn(form, problem, None, PLAN_WORK, PLAN_WORK).proof is Proof.INFEASIBLE
