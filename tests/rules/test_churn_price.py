"""What starting an instance costs: counted by placement, over its settings and nodes."""

from rules.churn import Churn
from rules.kernel.formulation import Formulation, Penalty
from rules.kernel.problem import Placement, Problem
from tests.rules.build import two_sites

REC = Placement("rec", "fp32", "edge")


def rows(problem: Problem) -> list[object]:
    form = Formulation()
    if Churn().applies(problem):
        Churn().constrain(form, problem)
    return list(form.rows)


def test_an_instance_above_those_that_run_has_the_price_of_a_start() -> None:
    fleet = two_sites().option("b4", "rec", "edge", max_batch=4).cost(start_millicents=70)
    fleet = fleet.running(REC, "edge-0", 2).running(REC, "edge-1", 1).running(Placement("gone", "fp32", "edge"), "x", 5)
    assert rows(fleet.problem) == [
        Penalty("churn", starts=((("rec@edge", "b4"), 3, 70), (("rec@cloud",), 0, 70))),
    ]


def test_free_starts_are_not_written() -> None:
    assert rows(two_sites().running(REC, "edge-0", 2).problem) == []


def test_a_floor_of_what_cannot_be_placed_any_more_prices_nothing() -> None:
    fleet = two_sites().cost(start_millicents=70).floor(Placement("gone", "fp32", "edge"), 1, "cooling down")
    assert [len(row.starts) for row in rows(fleet.problem) if isinstance(row, Penalty)] == [2]
