"""Conflicts where pools are enough and whole nodes are not: every problem here is taken for one of a large fleet."""

from collections.abc import Iterator
from dataclasses import replace
from random import Random

import pytest
from asked_too_much import problem
from test_conflicts import holds, narrowed, whole_holds

from controller.planning.explaining.clauses import EVERYTHING, Clause, only
from controller.planning.explaining.conflict import Clashes, Conflict, apart, clashes
from controller.planning.explaining.explanation import Loosened, Shortfall
from controller.planning.explaining.questions import Questions
from controller.planning.explaining.relaxation import relaxations
from controller.planning.explaining.shortfall_words import conflict_finding, shortfall_findings
from controller.planning.meter import Meter
from controller.planning.pooled.linear import attempt
from controller.planning.pooled.programme import lean
from controller.planning.pooled.rounding import rounded
from controller.planning.solve import solve
from controller.planning.verify import verify
from controller.planning.whole import size
from policy.resolved import Ceiling, LatencyObjective
from rules.kernel.problem import Problem
from tests.rules.build import Fleet, at, stage

SEEDS = range(24)
TIGHT = range(30, 54)
"""Among these seeds of `halves` are some where pools are enough and their nodes are not."""
NODE = 1_000
"""What a node costs."""


@pytest.fixture(autouse=True)
def everything_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(size, "MOST_STANDS", 0)


def three_nodes(ceiling: int) -> Problem:
    """One service that needs 2.4 instances, of which one fits on a node."""
    fleet = Fleet().site("paris").pool("edge", "paris", 3, line=31, price_millicents_per_hour=NODE)
    fleet = fleet.service("ocr", stage("read", "rec")).demand("ocr", "paris", 1_200)
    fleet = fleet.option("near", "rec", "edge", capacity_milli_rps=500, share_permille=600)
    fleet = fleet.path("near", "ocr@paris", "near").cost(ceilings=(Ceiling("", ceiling, at(81)),))
    return fleet.problem


def halves(seed: int) -> Problem:
    """Two services on two pools, and a budget that may buy some nodes and a half."""
    dice = Random(seed)  # noqa: S311 - a problem is no secret
    fleet = Fleet().site("paris").site("lyon").link("paris", "lyon")
    for line, (name, site) in enumerate((("edge", "paris"), ("cloud", "lyon")), start=31):
        fleet = fleet.pool(name, site, 3, line=line, price_millicents_per_hour=dice.choice((NODE, 2 * NODE)))
    for line, name in enumerate(("ocr", "vad"), start=61):
        slow = LatencyObjective(9900, 50_000, 300, at(line))
        fleet = fleet.service(name, stage("run", name), latency=(slow,))
        fleet = fleet.demand(name, "paris", dice.choice((300, 700, 1_200)))
        size = dice.choice((260, 350, 600))
        for pool in ("edge", "cloud"):
            option = f"{name}@{pool}"
            fleet = fleet.option(option, name, pool, capacity_milli_rps=500, share_permille=size)
            fleet = fleet.path(option, f"{name}@paris", option, latency_us=((9900, dice.choice((20_000, 60_000))),))
    return fleet.cost(ceilings=(Ceiling("", NODE * dice.randint(3, 9) // 2, at(81)),)).problem


def pools_are_enough(questions: Questions) -> bool:
    programme = questions.programme(EVERYTHING)
    return not attempt(programme.rows, lean(programme), programme.upper)[1]


def test_a_budget_that_buys_two_and_a_half_nodes_is_a_conflict_and_half_a_node_more_ends_it() -> None:
    questions = Questions(three_nodes(NODE * 5 // 2))
    assert pools_are_enough(questions)
    (conflict,) = clashes(questions, ["ocr"]).found
    assert [clause.rule for clause in conflict.clauses] == ["device_share", "budget"]
    assert conflict.proven
    for clause in conflict.clauses:
        assert questions.possible(only(frozenset(conflict.clauses) - {clause})) is True
    ceiling = next(item for item in relaxations(questions, conflict) if item.clause.rule == "budget")
    assert (ceiling.amount, ceiling.least) == (NODE // 2, True)
    assert planned(three_nodes(NODE * 5 // 2 + ceiling.amount))
    assert not whole_holds(three_nodes(NODE * 5 // 2 + ceiling.amount - 1))


def planned(asked: Problem) -> bool:
    """Whether a plan serves everything, by CP-SAT and in the verifier's eyes."""
    question = Questions(asked).asked(EVERYTHING)
    found = solve(question.form, question.problem).plan
    return found is not None and not found.unserved and verify(found, asked) == ()


@pytest.mark.parametrize("seed", TIGHT)
def test_a_conflict_of_whole_nodes_cannot_hold_and_without_any_one_member_it_can(seed: int) -> None:
    asked = halves(seed)
    suspects = [service.name for service in asked.policy.services]
    answer = clashes(Questions(asked), suspects)
    if whole_holds(asked):
        assert not answer.found
        assert answer.servable or answer.undecided
    else:
        assert answer.found or answer.undecided
    for conflict in answer.found:
        members = frozenset(conflict.clauses)
        part = narrowed(asked, conflict.services)
        assert not holds(part, members)
        assert conflict.proven
        assert all(holds(part, members - {member}) for member in members)


def test_some_of_these_conflicts_are_of_whole_nodes_alone() -> None:
    found = [seed for seed in TIGHT if not whole_holds(halves(seed)) and pools_are_enough(Questions(halves(seed)))]
    assert len(found) >= 3
    assert all(clashes(Questions(halves(seed))).found for seed in found)


def test_what_the_limit_of_work_leaves_open_is_said_to_be_so_the_same_each_time() -> None:
    answers = [clashes(Questions(three_nodes(2_500), meter=Meter(0.0)), ["ocr"]) for _ in range(2)]
    assert answers == [Clashes((), ("ocr",))] * 2
    (finding,) = shortfall_findings(Shortfall(undecided=answers[0].undecided), three_nodes(2_500).policy)
    assert finding.id == "GW2019"
    assert "not proven within the limit of work" in finding.message
    assert "ocr" in finding.message


def test_a_conflict_that_holds_all_clauses_of_another_is_not_told_beside_it() -> None:
    one, other = tuple(clauses())[:2]
    few = Conflict((one,), ("ocr",), proven=True)
    same = Conflict((one,), ("ocr", "vad"), proven=True)
    more = Conflict((one, other), ("vad",), proven=True)
    another = Conflict((other,), ("vad",), proven=True)
    assert list(apart([more, few, same])) == [few]
    assert list(apart([few, another])) == [few, another]


def test_a_conflict_whose_members_were_not_all_proven_to_be_needed_says_so() -> None:
    proven, open_ = (
        conflict_finding(Loosened(Conflict(tuple(clauses()), ("ocr",), proven=known), ()), three_nodes(2_500).policy)
        for known in (True, False)
    )
    assert "proven, and without any one of them" in proven.message
    assert "not proven within the limit of work" in open_.message


def test_a_conflict_of_one_service_is_told_as_of_that_service() -> None:
    for services, subject in ((("ocr",), "ocr"), (("ocr", "vad"), "")):
        found = Loosened(Conflict(tuple(clauses()), services, proven=True), ())
        assert conflict_finding(found, three_nodes(2_500).policy).subject == subject


def test_a_clause_that_cannot_hold_by_itself_is_told_as_one() -> None:
    named = {}
    for one in clauses():
        told = conflict_finding(Loosened(Conflict((one,), ("ocr",), proven=True), ()), three_nodes(2_500).policy)
        begins, ends = "this clause cannot hold with what there is: ", "; proven, and without it the others can"
        assert told.message.startswith(begins)
        assert told.message.endswith(ends)
        assert told.hint == "it has to give; others may show up then"
        named[one.rule] = told.message.removeprefix(begins).removesuffix(ends)
    assert named == {
        "device_memory": "device memory (policy.yaml:31:3)",
        "device_share": "device share (policy.yaml:31:3)",
        "budget": "CostPolicy cost: at most $0.025/h (policy.yaml:81:3)",
    }


def clauses() -> Iterator[Clause]:
    yield from sorted(Questions(three_nodes(2_500)).clauses)


def test_where_everything_could_be_served_no_clause_is_blamed() -> None:
    asked = three_nodes(3 * NODE)
    answer = clashes(Questions(asked), ["ocr"])
    assert answer == Clashes((), servable=True)
    (finding,) = shortfall_findings(Shortfall(servable=True), asked.policy)
    assert "a plan that serves everything exists" in finding.message
    assert planned(asked)


def test_a_demand_that_no_path_serves_hides_no_conflict_of_the_others() -> None:
    asked = three_nodes(NODE)
    fleet = Fleet(asked).service("lost", stage("hear", "vad")).demand("lost", "paris")
    found = clashes(Questions(fleet.problem)).found
    assert [(conflict.clauses == (), conflict.services) for conflict in found] == [(True, ("lost",)), (False, ("ocr",))]
    assert {clause.rule for clause in found[1].clauses} >= {"budget"}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_plan_that_answers_yes_is_one_for_the_verifier_too(seed: int) -> None:
    asked = problem(seed)
    questions = Questions(asked)
    programme, cost = questions.programme(EVERYTHING), lean(questions.programme(EVERYTHING))
    solution, _ = attempt(programme.rows, cost, programme.narrow())
    made = rounded(questions.asked(EVERYTHING).form, programme, cost, solution.value) if solution else None
    if made is not None:
        assert verify(made, replace(asked, floors=())) == ()
        assert not made.unserved
