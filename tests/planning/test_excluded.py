"""Barred uses are judged once for each placement; the reasons, written for each option, name the same uses."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

import pytest
from whole_fleet import NOW, whole_fleet

from controller.decision import State
from controller.planning.build import Built, build
from controller.planning.excluded import barred, exclusions_of, out_of_reach, slow_uses, unreachable, without_server
from policy.resolved import CostObjective, LatencyObjective
from rules.kernel.formulation import Exclusion
from rules.kernel.problem import Problem
from rules.latency import Latency
from rules.unit_cost import UnitCost
from tests.rules.build import Fleet, at, stage


@pytest.fixture(scope="module")
def built() -> Built:
    fleet = whole_fleet(110, seed=8)
    seen = fleet.snapshot()
    return build(fleet.policy, replace(seen, servers=seen.servers[1:]), State(), NOW)


def uses(rows: Iterable[Exclusion]) -> dict[tuple[str, str], frozenset[str]]:
    found: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for row in rows:
        found[row.demand, row.stage].add(row.option)
    return {use: frozenset(options) for use, options in found.items()}


def test_rules_bar_the_uses_that_they_give_reasons_for(built: Built) -> None:
    bare = replace(built.whole, paths=())
    rows = exclusions_of(bare)
    assert {row.rule for row in rows} >= {"certification", "residency", "link_security", "accuracy"}
    assert barred(bare) == uses(rows)


def test_what_no_link_leads_to_is_out_of_reach(built: Built) -> None:
    rows = tuple(unreachable(built.whole))
    assert rows
    assert {use: options for use, options in out_of_reach(built.whole).items() if options} == uses(rows)


def test_no_use_that_a_path_takes_has_a_reason_against_it(built: Built) -> None:
    stages = {demand.id: built.whole.service_of(demand).stages for demand in built.whole.demands}
    taken = {
        (path.demand, stage.name, option)
        for path in built.problem.paths
        for stage, option in zip(stages[path.demand], path.options, strict=True)
    }
    assert taken
    assert not taken & {(row.demand, row.stage, row.option) for row in built.exclusions}


def test_what_stands_where_no_server_answers_is_named(built: Built) -> None:
    lost = {row.option for row in without_server(built.whole)}
    assert lost
    assert {row.option for row in built.exclusions if not row.demand} == lost
    assert lost.isdisjoint(option for path in built.problem.paths for option in path.options)


def too_dear(*ways: tuple[str, int, int]) -> list[str]:
    """The reasons told of a first stage that goes on by ways of a price and a latency, all of them too dear."""
    fleet = Fleet().site("paris").pool("first", "paris")
    made = fleet.service("ocr", stage("find", "det"), stage("read", "rec"), cost=CostObjective(1, 1, at(11)))
    made = made.demand("ocr", "paris").option("det@first", "det", "first")
    for name, price, latency_us in ways:
        made = made.pool(name, "paris", price_millicents_per_hour=price)
        made = made.option(f"rec@{name}", "rec", name, memory_mib=1000, capacity_milli_rps=1)
        made = made.path(name, "ocr@paris", "det@first", f"rec@{name}", latency_us=((9900, latency_us),))
    found = slow_uses(UnitCost().exclusions(made.problem), made.problem)
    return [row.reason for row in found if row.option == "det@first"]


def test_of_paths_that_are_all_too_dear_the_cheapest_is_told() -> None:
    (told,) = too_dear(("fast", 36_000, 10), ("cheap", 18_000, 20))
    assert told.startswith("its cheapest path: its machines and links cost $0.05 for 1 request")
    assert too_dear(("cheap", 18_000, 20), ("fast", 36_000, 10)) == [told]


def test_of_paths_that_are_too_slow_or_too_dear_the_fastest_tells_which() -> None:
    asked = too_dear_and_slow()
    rows = (*UnitCost().exclusions(asked), *Latency().exclusions(asked))
    (told,) = [row for row in slow_uses(rows, asked) if row.option == "det@first"]
    assert (told.rule, told.reason.split(":")[0]) == ("latency", "its best path")


def too_dear_and_slow() -> Problem:
    """A way that is too slow, and one that is slower and too dear."""
    fleet = Fleet().site("paris").pool("first", "paris").pool("dear", "paris", price_millicents_per_hour=36_000)
    cost, latency = CostObjective(1, 1, at(11)), (LatencyObjective(9900, 5, 300, at(12)),)
    made = fleet.service("ocr", stage("find", "det"), stage("read", "rec"), cost=cost, latency=latency)
    made = made.demand("ocr", "paris").option("det@first", "det", "first").option("rec@first", "rec", "first")
    made = made.option("rec@dear", "rec", "dear", memory_mib=1000, capacity_milli_rps=1)
    made = made.path("slow", "ocr@paris", "det@first", "rec@first", latency_us=((9900, 10),))
    return made.path("dear", "ocr@paris", "det@first", "rec@dear", latency_us=((9900, 20),)).problem
