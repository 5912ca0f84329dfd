"""What a bound allows no more of is let go, with what it answered, where nothing else was found."""

from controller.planning.build import write
from controller.planning.objective import prices
from controller.planning.whole.letting_go import fewest, let_go
from controller.planning.whole.reading import Reading
from controller.planning.whole.rows import Rows
from rules.kernel.formulation import Count, Formulation
from rules.kernel.plan import Plan
from rules.kernel.problem import Problem
from tests.rules.build import Fleet, stage

OPTION, PATH, DEMAND = "read@edge", "read to edge", "ocr@paris"


def one_pool() -> Problem:
    """One service whose demand two instances answer."""
    fleet = Fleet().site("paris", "EU").pool("edge", "paris", nodes=2)
    fleet = fleet.service("ocr", stage("read", "rec")).demand("ocr", "paris", 1000)
    return fleet.option(OPTION, "rec", "edge", capacity_milli_rps=500).path(PATH, DEMAND, OPTION).problem


def rows_with(*counts: Count) -> Rows:
    problem = one_pool()
    return Rows(problem, Formulation([*write(problem).rows, prices(problem, Plan()), *counts]))


def served(instances: int, share: int) -> Reading:
    return Reading.made({(OPTION, "edge-0"): instances}, {PATH: share}, {DEMAND: 1000 - share}, {})


def test_what_an_instance_answered_is_refused_when_it_is_let_go() -> None:
    most = Count("test", None, (OPTION,), 0, 1)
    rows = rows_with(most)
    left = let_go(rows, served(2, 1000), most)
    assert left.counts == {(OPTION, "edge-0"): 1}
    assert left.unserved == {DEMAND: 500}
    assert left.shares == {PATH: 500}
    assert left.levels == {"ocr": rows.tops["ocr"]}
    assert not list(rows.broken(left))


def test_requests_stay_where_the_others_answer_them() -> None:
    most = Count("test", None, (OPTION,), 0, 2)
    left = let_go(rows_with(most), served(3, 1000), most)
    assert left.by_option == {OPTION: 2}
    assert left.shares == {PATH: 1000}
    assert left.levels == {}


def test_nothing_is_let_go_where_another_row_asks_for_it() -> None:
    most, least = Count("test", None, (OPTION,), 0, 1), Count("other", None, (OPTION,), 2, None)
    before = served(2, 1000)
    assert let_go(rows_with(most, least), before, most) is before


def test_of_too_many_instances_the_options_with_the_fewest_are_looked_at_and_all_without_any() -> None:
    at = Reading.made({("many", "a"): 5, ("some", "a"): 1, ("some", "b"): 2, ("one", "b"): 1}, {}, {}, {})
    options = ("many", "none", "one", "some")
    assert fewest(at, Count("test", None, options, 0, 8), 2) == ("one", "some", "none")
    assert fewest(at, Count("test", None, options, 0, 9), 2) == options
    assert fewest(at, Count("test", None, options, 12, None), 2) == options
