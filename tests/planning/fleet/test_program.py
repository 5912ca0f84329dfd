"""What a hint may do to the search for the cheapest values."""

import pytest

from controller.decision import Proof
from controller.planning.fleet.program import Limits, Program

WORK = Limits(work=1.0)


def three_of_two_kinds() -> Program:
    """At least three in all, at most two of the first kind, which cost a dollar; of the second, two dollars each."""
    program = Program()
    kinds = program.unknowns([2, 3], [1.0, 2.0])
    program.row(kinds, [1, 1], lowest=3)
    return program


@pytest.mark.parametrize(("values", "can_stand"), [([2, 1], True), ([0, 3], True), ([2, 0], False), ([3, 0], False)])
def test_values_can_stand_within_their_rows_and_their_highest(values: list[int], *, can_stand: bool) -> None:
    assert three_of_two_kinds().keeps(values) is can_stand


@pytest.mark.parametrize("hint", [[0, 3], [2, 1], [0, 0], [3, 0], None])
def test_no_hint_hides_the_cheapest_values(hint: list[int] | None) -> None:
    answer = three_of_two_kinds().solve(WORK, hint)
    assert (answer.values, answer.proof) == ([2, 1], Proof.OPTIMAL)
    assert answer.bound == pytest.approx(4.0)


def test_nothing_dearer_than_a_hint_that_can_stand_is_looked_at() -> None:
    program = three_of_two_kinds()
    program.solve(WORK, [1, 2])
    assert list(program.model.proto.objective.domain) == [0, round(5 * program.scale())]
    program = three_of_two_kinds()
    program.solve(WORK, [1, 1])
    assert not program.model.proto.objective.domain


@pytest.mark.parametrize(("cost", "proof"), [(3.9, Proof.INFEASIBLE), (4.0, Proof.OPTIMAL)])
def test_a_cost_is_undercut_or_proven_to_be_too_low(cost: float, proof: Proof) -> None:
    answer = three_of_two_kinds().undercut(WORK, cost)
    assert answer.proof is proof
    assert answer.values == ([2, 1] if proof is Proof.OPTIMAL else None)
