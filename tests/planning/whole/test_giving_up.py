"""The least that a service must give up: what no plan could serve is not asked about again and again."""

from dataclasses import replace

from random_products import random_product

from controller.planning.build import write
from controller.planning.objective import prices, shortfall
from controller.planning.solve import solve
from controller.planning.whole.giving_up import given_up, least_given_up
from controller.planning.whole.reading import Reading
from controller.planning.whole.rows import Rows
from rules.kernel.formulation import Distinct, Formulation
from rules.kernel.plan import Plan
from rules.kernel.problem import Problem


def rows_of(problem: Problem) -> Rows:
    form = write(problem)
    form.add(prices(problem, Plan()))
    return Rows(problem, form)


def test_no_plan_gives_up_less_and_what_all_services_give_up_is_the_shortfall() -> None:
    for seed in range(12):
        problem = random_product(seed)
        rows = rows_of(problem)
        found = solve(rows.form, problem).plan
        assert found is not None
        at = Reading.of(found)
        for service in rows.ladders:
            assert given_up(rows, at, service) >= least_given_up(rows, service)
        assert sum(given_up(rows, at, service) for service in rows.ladders) == shortfall(found, rows.form)


def test_a_demand_without_a_path_is_refused_at_the_first_level_that_lets_all_of_it_be() -> None:
    problem = random_product(0)
    lost, *_ = problem.demands
    rows = rows_of(replace(problem, paths=tuple(path for path in problem.paths if path.demand != lost.id)))
    top = rows.tops[lost.service]
    levels, refused = rows.prices.levels[lost.service], rows.prices.unserved[lost.id]
    assert least_given_up(rows, lost.service) == sum(levels[:top]) + 1000 * refused


def test_a_service_that_cannot_be_spread_as_asked_is_at_its_highest_level() -> None:
    problem = random_product(0)
    service = problem.demands[0].service
    rows = rows_of(problem)
    assert least_given_up(rows, service) == 0
    option, pool = problem.options[0].id, problem.options[0].placement.pool
    group = ((option, problem.nodes_of(pool)[0].name),)
    confined = Rows(problem, Formulation([*rows.form.rows, Distinct("test", None, (group,), 2, (service,))]))
    assert least_given_up(confined, service) == sum(rows.prices.levels[service])
    spread = Rows(problem, Formulation([*rows.form.rows, Distinct("test", None, (group, group), 2, (service,))]))
    assert least_given_up(spread, service) == 0
