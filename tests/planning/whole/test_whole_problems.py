"""The fleet engine on small random problems, against CP-SAT's proven optimum and under the verifier's eye."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_products import random_product

from controller.decision import Proof
from controller.planning.build import write
from controller.planning.objective import cost_of, prices, shortfall
from controller.planning.solve import solve
from controller.planning.verify import verify
from controller.planning.whole import rounds
from controller.planning.whole.rounds import plan_fleet
from rules.kernel.formulation import Count, Formulation
from rules.kernel.plan import Plan
from rules.kernel.problem import Problem

WORST = 1.1
"""What the fleet engine's plan may cost, over the optimum."""
NEAR = 1.01


@pytest.fixture(autouse=True)
def few_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "FREE_TRIES", 300)
    monkeypatch.setattr(rounds, "HELD_TRIES", 600)


def form_of(problem: Problem, running: Plan) -> Formulation:
    form = write(problem)
    form.rows.append(prices(problem, running))
    return form


@settings(max_examples=25, derandomize=True, deadline=None)
@given(st.integers(1_000, 1_000_000))
def test_a_plan_of_the_fleet_engine_is_never_refused_by_the_verifier(seed: int) -> None:
    problem = random_product(seed)
    form = form_of(problem, Plan())
    found = plan_fleet(form, problem, Plan())
    if found.plan is not None:
        assert verify(found.plan, problem) == ()
        assert found.cost == cost_of(found.plan, form)


def test_it_finds_a_plan_wherever_there_is_one_and_nearly_the_cheapest() -> None:
    ratios = []
    for seed in range(20):
        problem = random_product(seed)
        form = form_of(problem, Plan())
        best, found = solve(form, problem), plan_fleet(form, problem, Plan())
        if best.proof is Proof.OPTIMAL:
            assert found.plan is not None
            assert best.cost <= found.cost <= WORST * best.cost, seed
            ratios.append(found.cost / best.cost)
    assert sum(ratio <= NEAR for ratio in ratios) >= 0.8 * len(ratios)


def test_what_runs_is_where_it_starts_from_and_moves_have_to_pay() -> None:
    problem = random_product(3)
    first = plan_fleet(form_of(problem, Plan()), problem, Plan()).plan
    assert first is not None
    again = plan_fleet(form_of(problem, first), problem, first)
    assert again.plan is not None
    assert again.cost <= cost_of(first, form_of(problem, first))


def test_what_breaks_a_little_is_mended_in_its_place_without_a_search(monkeypatch: pytest.MonkeyPatch) -> None:
    mended = 0
    for seed in range(12):
        problem = random_product(seed)
        running = plan_fleet(form_of(problem, Plan()), problem, Plan()).plan
        assert running is not None
        busiest = max(problem.demands, key=lambda demand: demand.rate_milli_rps)
        demands = tuple(
            replace(d, rate_milli_rps=d.rate_milli_rps * 13 // 10) if d == busiest else d for d in problem.demands
        )
        busier = replace(problem, demands=demands)
        form = form_of(busier, running)
        if verify(running, busier):
            with monkeypatch.context() as patch:
                patch.setattr(rounds, "_planned_anew", lambda *_: None)
                found = plan_fleet(form, busier, running)
            if found.plan is not None:
                mended += 1
                assert verify(found.plan, busier) == ()
                assert shortfall(found.plan, form) <= shortfall(running, form)
                assert found.cost == cost_of(found.plan, form)
    assert mended >= 3


def test_a_plan_that_runs_on_many_nodes_stays_in_the_turns_of_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = random_product(3)
    running = plan_fleet(form_of(problem, Plan()), problem, Plan()).plan
    assert running is not None
    monkeypatch.setattr(rounds, "MOST_POWERED", 0)
    asked = []
    search_tries = rounds.search_tries
    monkeypatch.setattr(rounds, "search_tries", lambda *given: asked.append(given) or search_tries(*given))
    assert plan_fleet(form_of(problem, running), problem, running).cost <= cost_of(running, form_of(problem, running))
    assert not asked
    plan_fleet(form_of(problem, running), problem, running, effort=rounds.Effort(2))
    assert asked


def test_what_is_over_goes_where_a_plan_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "MOST_POWERED", 0)
    shrunk = 0
    for seed in range(12):
        problem = random_product(seed)
        running = plan_fleet(form_of(problem, Plan()), problem, Plan()).plan
        assert running is not None
        demands = tuple(replace(demand, rate_milli_rps=1 + demand.rate_milli_rps // 4) for demand in problem.demands)
        calmer = replace(problem, demands=demands)
        with monkeypatch.context() as patch:
            patch.setattr(rounds, "search_tries", None)
            found = plan_fleet(form_of(calmer, running), calmer, running).plan
        assert found is not None
        assert verify(found, calmer) == ()
        form = form_of(calmer, running)
        assert cost_of(found, form) <= cost_of(running, form)
        shrunk += sum(item.count for item in found.instances) < sum(item.count for item in running.instances)
    assert shrunk >= 3


def test_the_same_problem_gets_the_same_plan() -> None:
    problem = random_product(4)
    form = form_of(problem, Plan())
    assert plan_fleet(form, problem, Plan()) == plan_fleet(form, problem, Plan())


def test_no_plan_is_given_where_only_one_that_degrades_less_than_nothing_is_wanted() -> None:
    problem = random_product(4)
    form = form_of(problem, Plan())
    assert plan_fleet(form, problem, Plan()).plan is not None
    assert plan_fleet(form, problem, Plan(), below=0).plan is None


def test_no_plan_is_given_where_none_keeps_the_rules() -> None:
    problem = random_product(4)
    form = form_of(problem, Plan())
    form.add(Count("test", None, tuple(option.id for option in problem.options), 1_000, None))
    assert plan_fleet(form, problem, Plan()).plan is None
