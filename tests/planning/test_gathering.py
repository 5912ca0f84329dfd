"""Stages in one rack or on one node: found, moved to, told of where that is too little, and kept over pools."""

from dataclasses import replace

import pytest
from world import CALM, FRANKFURT, OCR, POLICY, World, line

from controller.decision import Decision
from controller.planning.align import align
from controller.planning.explaining.clauses import EVERYTHING, only
from controller.planning.explaining.questions import Questions
from controller.planning.pooled.linear import attempt
from controller.planning.whole import size
from policy.resolved import Policy, PoolsClause, TogetherClause, Within
from rules.gathering import Gathering
from rules.kernel.problem import Problem
from tests.rules.build import Fleet, at, plan, stage

CLAUSE_LINE = 61
NODES = tuple(f"{FRANKFURT}-{index}" for index in range(3))


def in_frankfurt(within: Within) -> Policy:
    """The policy with receipts read in Frankfurt alone, where the first two of its nodes are in one rack."""
    kept = PoolsClause((FRANKFURT,), (), (), (), is_barred=False, place=line(60))
    clause = TogetherClause(("detect", "orient", "read"), within, line(CLAUSE_LINE))
    ocr, *others = POLICY.services
    ocr = replace(ocr, pools=(kept,), together=(clause,), availability=None)
    pools = (replace(each, racks=("a", "a", "b")) if each.name == FRANKFURT else each for each in POLICY.pools)
    return replace(POLICY, revision=within.value, services=(ocr, *others), pools=tuple(pools))


def nodes_of_receipts(decision: Decision) -> set[str]:
    return {item.node for item in decision.plan.instances if item.option.startswith(("det/", "cls/", "rec/"))}


def refused(decision: Decision) -> int:
    return sum(item.share_permille for item in decision.plan.unserved if item.demand.startswith(OCR))


def receipts(times: int) -> dict[tuple[str, str], int]:
    """What arrives with so many times as many receipts."""
    return {key: rate * (times if key[0] == OCR else 1) for key, rate in CALM.items()}


def three_instances(within: Within, share_permille: int) -> Problem:
    """One service that needs 2.4 instances of that size, on three nodes."""
    clause = TogetherClause(("read",), within, at(CLAUSE_LINE))
    fleet = Fleet().site("paris").pool("edge", "paris", 3, line=31)
    fleet = fleet.service("ocr", stage("read", "rec"), together=(clause,)).demand("ocr", "paris", 1_200)
    fleet = fleet.option("near", "rec", "edge", capacity_milli_rps=500, share_permille=share_permille)
    return fleet.path("near", "ocr@paris", "near").problem


def test_a_pipeline_stands_in_one_pool_in_one_rack_or_on_one_node_and_what_has_no_room_there_is_refused() -> None:
    found = {within: World(in_frankfurt(within), rates=receipts(40)).turn() for within in Within}
    assert nodes_of_receipts(found[Within.POOL]) == set(NODES)
    assert nodes_of_receipts(found[Within.RACK]) == {*NODES[:2]}
    assert len(nodes_of_receipts(found[Within.NODE])) == 1
    assert refused(found[Within.SITE]) == refused(found[Within.POOL]) == 0
    assert 0 < refused(found[Within.RACK]) < refused(found[Within.NODE])


def test_what_stands_apart_is_brought_together_when_a_policy_comes_to_ask_for_it() -> None:
    world = World(in_frankfurt(Within.POOL), rates=receipts(20))
    assert len(nodes_of_receipts(world.turn())) == 2
    world.policy, world.rates = in_frankfurt(Within.NODE), receipts(8)
    moved = world.rest()
    assert len(nodes_of_receipts(moved)) == 1
    assert refused(moved) == 0


def test_where_one_node_is_too_small_the_clause_is_named_and_what_it_costs_to_go_without() -> None:
    told = [each.message for each in World(in_frankfurt(Within.NODE), rates=receipts(20)).rest().findings]
    (conflict,) = (message for message in told if message.startswith("these clauses cannot all hold"))
    assert f"gathering (policy.yaml:{CLAUSE_LINE}:1)" in conflict


def test_over_pools_a_gathered_row_has_the_room_of_one_group_as_long_as_it_holds() -> None:
    for within, fits in ((Within.POOL, True), (Within.NODE, False)):
        questions = Questions(three_instances(within, 600))
        programme = questions.programme(EVERYTHING)
        assert attempt(programme.rows, 0 * programme.upper, programme.upper)[1] is not fits
        assert questions.possible(EVERYTHING) is fits
    needed = {clause for clause in questions.clauses if clause.rule in {"gathering", "device_share"}}
    for clause in needed:
        assert questions.possible(only(questions.clauses - {clause})) is True
    assert len(needed) == 2


def test_on_a_large_fleet_what_fits_into_one_place_is_found_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(size, "MOST_STANDS", 0)
    for share_permille, fits in ((333, True), (334, False)):
        assert Questions(three_instances(Within.NODE, share_permille)).possible(EVERYTHING) is fits


def test_on_a_large_fleet_pools_that_share_a_rack_are_filled_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two stages of three instances each, of which two fit on a node; of four nodes of each pool a rack has two."""
    clause = TogetherClause(("find", "read"), Within.RACK, at(CLAUSE_LINE))
    fleet = Fleet().site("paris").pool("edge", "paris", 4).pool("attic", "paris", 4)
    fleet = fleet.service("ocr", stage("find", "det"), stage("read", "rec"), together=(clause,))
    each = {"capacity_milli_rps": 500, "share_permille": 500}
    fleet = fleet.option("det@edge", "det", "edge", **each).option("rec@attic", "rec", "attic", **each)
    fleet = fleet.demand("ocr", "paris", 1_200).path("both", "ocr@paris", "det@edge", "rec@attic")
    pools = (replace(pool, racks=("a", "b")) for pool in fleet.problem.policy.pools)
    problem = replace(fleet.problem, policy=replace(fleet.problem.policy, pools=tuple(pools)))
    monkeypatch.setattr(size, "MOST_STANDS", 0)
    monkeypatch.setattr(Questions, "_on_each_node", lambda *_: None)
    assert Questions(problem).possible(EVERYTHING) is True


def test_a_plan_keeps_its_rack_where_half_of_it_runs_in_another() -> None:
    problem = three_instances(Within.RACK, 600)
    pools = (replace(pool, racks=("a", "a", "b")) for pool in problem.policy.pools)
    problem = replace(problem, policy=replace(problem.policy, pools=tuple(pools)))
    gathered = plan({("near", "edge-0"): 1, ("near", "edge-1"): 1}, {"near": 1000})
    apart = plan({("near", "edge-1"): 1, ("near", "edge-2"): 1}, {"near": 1000})
    assert list(Gathering().check(apart, problem))
    aligned = align(gathered, apart, problem)
    assert {item.node for item in aligned.instances} == {"edge-0", "edge-1"}
    assert list(Gathering().check(aligned, problem)) == []


def test_an_option_that_only_barred_paths_take_may_stand_anywhere() -> None:
    fleet = Fleet(three_instances(Within.NODE, 600)).option("other", "rec", "edge", variant="int8")
    problem = fleet.path("barred", "ocr@paris", "other").problem
    apart = plan({("near", "edge-0"): 1, ("other", "edge-1"): 1}, {"near": 1000})
    (found,) = Gathering().check(apart, problem)
    assert (found.subject, found.measured) == ("ocr at paris", 2)
    assert list(Gathering().check(apart, replace(problem, barred=frozenset({"barred"})))) == []
