import pytest
from world import FRANKFURT, PARIS, POLICY

from controller.decision import Crowding
from controller.fleet import RouteSet, Way
from controller.planning.beside import Crowd, beside, calls_rps
from controller.planning.options import options, speeds
from rules.kernel.problem import Demand, Node, Placement, Running

DET, REC, CLS = (Placement(model, "fp32", PARIS) for model in ("det", "rec", "cls"))
NODE = f"{PARIS}-0"
NODES = (Node(NODE, PARIS), *(Node(f"{FRANKFURT}-{i}", FRANKFURT) for i in range(3)))
SPEED = speeds(POLICY, ())


def slowdowns(calls: dict[Placement, float], *instances: Running) -> dict[Placement, float]:
    places = {DET, REC, CLS, *calls}
    return dict(beside(Crowd(instances, NODES, calls), places, POLICY, SPEED).slowdowns)


def test_what_stands_alone_is_exactly_as_fast_as_alone() -> None:
    assert slowdowns({DET: 5.0}, Running(DET, NODE, 1))[DET] == 1.0


def test_never_seen_neighbours_add_what_their_shares_say_for_as_long_as_they_are_busy() -> None:
    found = slowdowns({DET: 1.0, REC: 2.0}, Running(DET, NODE, 1), Running(REC, NODE, 1))
    rec_busy = 2.0 * 0.090 * found[REC]
    assert found[DET] == pytest.approx(1 + 0.30 * 0.25 * rec_busy, rel=1e-3)


def test_instances_of_one_variant_are_neighbours_of_each_other() -> None:
    found = slowdowns({DET: 8.0}, Running(DET, NODE, 2))
    assert found[DET] == pytest.approx(1 + 0.30 * 0.30 * (8.0 * 0.120 * found[DET] / 2), rel=1e-3)


def test_what_may_come_is_slowed_by_what_stands_there_and_nothing_by_another_pool() -> None:
    elsewhere = Placement("rec", "fp32", FRANKFURT)
    found = slowdowns({REC: 5.0, elsewhere: 5.0}, Running(REC, NODE, 1), Running(elsewhere, f"{FRANKFURT}-0", 1))
    assert found[CLS] > 1.0
    assert found[elsewhere] == 1.0


@pytest.mark.parametrize("added", [1, 2, 4])
def test_a_neighbour_more_makes_nobody_faster(added: int) -> None:
    calls = {DET: 4.0, REC: 20.0, CLS: 10.0}
    stands = (Running(DET, NODE, 1), Running(REC, NODE, 2))
    before = slowdowns(calls, *stands)
    after = slowdowns(calls, *stands, Running(CLS, NODE, added))
    assert all(after[place] >= before[place] for place in before)


def test_routes_bring_every_stage_its_calls() -> None:
    routes = (RouteSet("receipt-ocr", PARIS, (Way(500, (DET, CLS, REC)),)),)
    found = calls_rps(POLICY, routes, (Demand("receipt-ocr@" + PARIS, "receipt-ocr", PARIS, 6_000),))
    assert found == {DET: 3.0, CLS: 6.0, REC: 6.0}


def test_plans_are_priced_in_the_company_that_is_remembered() -> None:
    crowded = speeds(POLICY, (), (), (Crowding(DET, 1250),))
    assert crowded.batch_us(DET, "edge-gpu", 1) == 150_000
    before = {option.id: option for option in options(POLICY, SPEED)}
    for option in options(POLICY, crowded):
        slower = before[option.id].capacity_milli_rps > option.capacity_milli_rps
        assert slower == (option.placement == DET)
