"""Barred uses are judged once for each placement; the reasons, written for each option, name the same uses."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

import pytest
from whole_fleet import NOW, whole_fleet

from controller.decision import State
from controller.planning.build import Built, build
from controller.planning.excluded import barred, exclusions_of, out_of_reach, unreachable, without_server
from rules.kernel.formulation import Exclusion


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
