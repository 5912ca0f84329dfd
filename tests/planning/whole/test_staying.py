"""What is mended stays where it stood; where it cannot, the plan is as the neighbourhoods left it."""

import pytest

from controller.planning.build import write
from controller.planning.whole.reading import Counts, Reading
from controller.planning.whole.rows import Rows
from controller.planning.whole.staying import staying
from rules.kernel.formulation import Distinct
from tests.rules.build import Fleet, stage

TWO_EACH = {("one", "edge-0"): 2, ("two", "edge-1"): 2}
CASES: dict[str, tuple[Counts, Counts, Counts]] = {
    "what changed places goes back": (
        TWO_EACH,
        {("one", "edge-1"): 2, ("two", "edge-0"): 2},
        TWO_EACH,
    ),
    "what is new joins its like where there is room": (
        TWO_EACH,
        {("one", "edge-1"): 3, ("two", "edge-0"): 2},
        {("one", "edge-0"): 3, ("two", "edge-1"): 2},
    ),
    "what is new goes beside another where its like has no room": (
        {("one", "edge-0"): 3, ("two", "edge-1"): 2},
        {("one", "edge-1"): 3, ("one", "edge-0"): 1, ("two", "edge-0"): 2},
        {("one", "edge-0"): 3, ("one", "edge-1"): 1, ("two", "edge-1"): 2},
    ),
    "what is fewer leaves the nodes that the plan leaves": (
        {("one", "edge-0"): 1, ("one", "edge-1"): 1},
        {("one", "edge-1"): 1},
        {("one", "edge-1"): 1},
    ),
    "no further node is powered for it": (
        {("one", "edge-0"): 1, ("two", "edge-1"): 1},
        {("one", "edge-2"): 1, ("two", "edge-2"): 1},
        {("one", "edge-2"): 1, ("two", "edge-2"): 1},
    ),
}


def rows() -> Rows:
    """Two models in a pool of four nodes, of which each holds three instances."""
    fleet = Fleet().site("paris", "EU").pool("edge", "paris", nodes=4)
    fleet = fleet.service("ocr", stage("first", "one"), stage("second", "two")).demand("ocr", "paris")
    for name in ("one", "two"):
        fleet = fleet.option(name, name, "edge", memory_mib=300, share_permille=100)
    problem = fleet.path("path", "ocr@paris", "one", "two").problem
    return Rows(problem, write(problem))


def standing(counts: Counts) -> Reading:
    return Reading.made(counts, {"path": 1000}, {}, {})


@pytest.mark.parametrize("case", CASES)
def test_instances_stand_where_they_stood(case: str) -> None:
    before, planned, wanted = CASES[case]
    assert staying(rows(), standing(planned), standing(before)).counts == wanted


def test_what_a_row_spreads_stays_spread() -> None:
    spread = rows()
    nodes = [f"edge-{number}" for number in range(4)]
    spread.form.add(Distinct("test", None, tuple((("one", node),) for node in nodes), 2))
    planned = standing({("one", "edge-1"): 1, ("one", "edge-2"): 1})
    before = standing({("one", "edge-0"): 2})
    assert staying(rows(), planned, before).counts == {("one", "edge-0"): 2}
    assert staying(Rows(spread.problem, spread.form), planned, before) == planned
