"""What is priced or gained over some paths only, against what all paths come to, on a generated fleet of 200 nodes."""

from dataclasses import replace
from functools import cache

import pytest
from explained_fleet import built, of_the_engine, policy, strained

from controller.planning.build import Built
from controller.planning.explaining.clauses import EVERYTHING
from controller.planning.explaining.conflict import clashes
from controller.planning.explaining.questions import Questions
from controller.planning.explaining.relaxation import Relaxation, relaxations_of_all
from controller.planning.explaining.shadow_over_pools import OverPools
from controller.planning.meter import A_PRICE, Meter
from controller.planning.pooled.linear import attempt, minimise
from controller.planning.pooled.programme import lean
from controller.planning.whole import rounds
from rules.kernel.plan import Plan
from rules.kernel.problem import Problem
from tests.rules.build import Fleet, stage

STRAINED = dict(strained(policy(200)))


@pytest.fixture(autouse=True)
def few_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "FREE_TRIES", 300)
    monkeypatch.setattr(rounds, "HELD_TRIES", 600)


@cache
def fleet(name: str) -> Built:
    found: Built = built(STRAINED[name])
    return found


def priced(name: str, programmes: float) -> dict[str, Relaxation]:
    """What would end the conflicts, when after these are known so many whole programmes are left of the limit."""
    instance = fleet(name)
    questions = Questions(replace(instance.whole, floors=()))
    found = clashes(questions).found
    rows = questions.programme(EVERYTHING, full=False).rows
    relaxations_of_all(questions, found)
    questions.meter.spent, questions.meter.limit = 0.0, 100.0
    questions.meter.solved(rows, programmes)
    questions.meter.spent, questions.meter.limit = 0.0, questions.meter.spent
    told = relaxations_of_all(questions, found, of_the_engine(instance))
    return {item.what: item for items in told for item in items}


def test_with_room_for_it_in_the_limit_each_relaxation_is_priced_over_all_paths_else_at_most() -> None:
    plenty, little = priced("availability", 1_000), priced("availability", 30)
    assert plenty.keys() >= little.keys() > set()
    for what, item in little.items():
        assert not plenty[what].at_most
        if item.cost_millicents_per_hour is not None:
            bound = plenty[what].cost_millicents_per_hour
            assert bound is not None
            assert bound <= item.cost_millicents_per_hour


def test_one_more_node_gains_no_more_over_some_paths_than_over_all() -> None:
    whole = fleet("capacity").whole
    problem = replace(whole, floors=(), nodes=whole.nodes[::3])
    over_pools, questions = OverPools(problem, Plan()), Questions(problem)
    programme = questions.programme(EVERYTHING, full=False)
    form = programme.form
    before = minimise(programme.rows, form.cost, programme.narrow())
    assert before is not None
    gained = []
    for pool in form.nodes:
        upper = programme.narrow()
        upper[form.powered[pool]] += 1
        upper[[form.instances[option.id] for option in form.options[pool]]] *= 1 + 1 / len(form.nodes[pool])
        after = minimise(programme.rows, form.cost, upper)
        gain = over_pools.with_node(pool)
        assert after is not None
        assert gain is not None
        gained.append(gain.total)
        assert gain.total <= before.cost - after.cost + 1
    assert max(gained) > 0


def test_what_would_go_beyond_the_limit_is_not_begun() -> None:
    questions = Questions(replace(fleet("latency").whole, floors=()))
    questions.meter.limit = questions.meter.spent
    assert questions.possible(EVERYTHING) is None
    assert questions.meter.spent == questions.meter.limit


def test_writing_rows_counts_as_much_as_a_programme_of_them() -> None:
    meter = Meter()
    questions = Questions(replace(fleet("latency").whole, floors=()), meter=meter)
    written, programme = meter.spent, questions.programme(EVERYTHING, full=False)
    assert written > 0
    assert not Meter(written * A_PRICE, written).affords(programme.rows, 10)
    assert Meter(100.0, written).affords(programme.rows, A_PRICE)


def crowded(services: int) -> Problem:
    """Services that need an instance of 340 permille each, of models of their own, and two nodes that hold two each."""
    fleet = Fleet().site("paris").pool("edge", "paris", nodes=2)
    for name in (f"s{at}" for at in range(services)):
        fleet = fleet.service(name, stage("run", name)).demand(name, "paris", 1_000)
        fleet = fleet.option(name, name, "edge", share_permille=340, capacity_milli_rps=1_000)
        fleet = fleet.path(name, f"{name}@paris", name)
    return fleet.problem


@pytest.mark.parametrize(("services", "none"), [(4, False), (5, True)])
def test_over_pools_nodes_hold_no_more_of_large_options_together_than_of_each(services: int, *, none: bool) -> None:
    """Five times 340 permille are less than two nodes have, but three do not fit on one."""
    programme = Questions(crowded(services)).programme(EVERYTHING)
    assert attempt(programme.rows, lean(programme), programme.narrow())[1] is none
