"""The last answer is kept for the very same arguments, and for no others."""

from dataclasses import replace

from rules.kernel.latest import Latest
from rules.kernel.measure import carried, visits
from rules.kernel.plan import Plan, Route
from tests.rules.build import Fleet, stage


def test_the_same_arguments_are_answered_once_and_equal_ones_anew() -> None:
    asked: list[tuple[object, ...]] = []

    def answer(*given: object) -> int:
        asked.append(given)
        return len(asked)

    kept = Latest(answer)
    one, same = [1], [1]
    assert [kept(one), kept(one), kept(same), kept(same), kept(one), kept(one, one)] == [1, 1, 2, 2, 3, 4]


def test_another_plan_or_problem_is_read_anew() -> None:
    fleet = Fleet().site("paris", "EU").pool("edge", "paris", 1).service("ocr", stage("read", "rec"))
    fleet = fleet.demand("ocr", "paris").option("rec@edge", "rec", "edge").path("one", "ocr@paris", "rec@edge")
    problem, used = fleet.problem, Plan(routes=(Route("one", 1000),))
    assert [share for _, share in carried(used, problem)] == [1000]
    assert [str(visit) for visit in visits(used, problem)] == ["stage read of ocr@paris on rec@edge"]
    assert not visits(Plan(), problem)
    assert not visits(used, replace(problem, paths=()))
    assert len(visits(used, problem)) == 1
