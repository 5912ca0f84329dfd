"""A report as readings: by the controller's clock, of the site alone, and with the plan's numbers."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
from datasketches import req_ints_sketch

from collectors.snapshot import (
    LoadedModel,
    ModelState,
    Offered,
    Rate,
    Reading,
    Server,
    ServerState,
    Snapshot,
)
from collectors.windows import ACCURACY_K
from controller.fleet import Load, RouteSet, Way
from controller.sites.hub.heard import WINDOW, SiteReports
from controller.sites.hub.peer import Peer
from controller.sites.hub.readings import Own, away_permille, own_routes, readings, strangers
from controller.sites.report import Measure, Phase, Report, Sketch
from controller.sites.site_plan import Envelope, SiteLoad, SitePlan
from rules.kernel.problem import Placement

HERE = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
THERE = HERE - timedelta(hours=3)
"""The site's clock is three hours behind."""
PARIS, LYON = "edge-paris", "edge-lyon"
NODE = f"{PARIS}-0"
OWN = Own(PARIS, frozenset((PARIS,)))
PEER = Peer(PARIS, "01")
VAD = Placement("vad", "fp32", PARIS)


def holding(instances: int, at: datetime, pool: str = PARIS) -> Server:
    model = LoadedModel("vad", "fp32", ModelState.READY, instances, 1, 0)
    return Server(pool, Reading(ServerState((model,)), at, "triton"), f"{pool}-0")


def report(seen: Snapshot, *sketches: Sketch, sequence: int = 1, routes: tuple[RouteSet, ...] = ()) -> Report:
    return Report(PARIS, sequence, THERE, Phase.CONNECTED, 1, seen, sketches=sketches, routes=routes)


def sketch(measure: Measure, subject: tuple[str, ...], *values_us: int, count: int | None = None) -> Sketch:
    made = req_ints_sketch(k=ACCURACY_K, is_hra=True)
    made.update(np.array(values_us, dtype=np.int32))
    return Sketch(measure, subject, THERE, 5.0, len(values_us) if count is None else count, made.serialize())


def taken(*reports: Report, apart: timedelta = timedelta(seconds=5)) -> SiteReports:
    found = SiteReports()
    for index, each in enumerate(reports):
        assert found.take(each, PEER, HERE + index * apart)
    return found


def read(reports: SiteReports, plan: SitePlan | None = None) -> Snapshot:
    heard = reports.of(PARIS)
    assert heard is not None
    return readings(heard, OWN, plan, HERE)


def test_a_reading_is_as_old_here_as_it_was_there() -> None:
    seen = Snapshot(THERE, servers=(holding(1, THERE - timedelta(seconds=4)),))
    (server,) = read(taken(report(seen))).servers
    assert server.reading.at == HERE - timedelta(seconds=4)


def test_no_reading_is_from_later_than_its_report() -> None:
    seen = Snapshot(THERE, servers=(holding(1, THERE + timedelta(days=2)),))
    (server,) = read(taken(report(seen))).servers
    assert server.reading.at == HERE


def test_what_is_told_of_others_is_left_out_and_named() -> None:
    rate = Reading(Rate(1000, 10, 10.0), THERE, "gateway")
    seen = Snapshot(
        THERE,
        servers=(holding(1, THERE), holding(9, THERE, LYON)),
        offered=(Offered("calls", PARIS, rate), Offered("calls", LYON, rate)),
    )
    others = RouteSet("calls", LYON, ())
    reports = taken(report(seen, routes=(others,)))
    snapshot = read(reports)
    assert [server.pool for server in snapshot.servers] == [PARIS]
    assert [item.origin for item in snapshot.offered] == [PARIS]
    heard = reports.of(PARIS)
    assert heard is not None
    assert strangers(heard, OWN) == {LYON}
    assert own_routes(heard, PARIS) == ()


def plan_of(instances: int, most: int) -> SitePlan:
    load = SiteLoad(Load(VAD, instances, 1, 0, NODE), Envelope(instances, most), 128, 100, 1000)
    return SitePlan(PARIS, 1, HERE, HERE, loads=(load,))


def test_inside_its_envelope_a_load_counts_as_planned_and_beyond_it_as_it_is() -> None:
    def instances(has: int, plan: SitePlan | None) -> int:
        state = read(taken(report(Snapshot(THERE, servers=(holding(has, THERE),)))), plan).servers[0].reading.value
        assert state is not None
        return state.models[0].instances

    assert instances(3, plan_of(2, 4)) == 2
    assert instances(5, plan_of(2, 4)) == 5
    assert instances(1, plan_of(2, 4)) == 1
    assert instances(3, None) == 3


def test_sketches_of_half_a_minute_are_one_and_older_ones_are_forgotten() -> None:
    subject = (PARIS, "vad", "fp32")
    nothing = Snapshot(THERE)
    both = [
        report(
            nothing,
            sketch(Measure.QUEUE, subject, *range(low, low + 50)),
            sketch(Measure.COMPUTE, subject, 700),
            sketch(Measure.RUN, ("calls", PARIS), 9_000, count=10),
            sequence=low,
        )
        for low in (1, 51)
    ]
    snapshot = read(taken(*both))
    (work,) = snapshot.work
    times = work.times.value
    assert times is not None
    assert (times.queue.count, times.queue.p50_us, times.queue.p99_us) == (100, 50, 99)
    assert times.compute.p50_us == 700
    (latency,) = snapshot.latency
    assert latency.reading.value is not None
    assert (latency.reading.value.count, latency.reading.value.sampled) == (20, 2)
    late = report(nothing, sequence=60)
    assert read(taken(*both, late, apart=WINDOW + timedelta(seconds=1))).work == ()


def test_a_sketch_that_is_none_is_left_out() -> None:
    subject = (PARIS, "vad", "fp32")
    bad = replace(sketch(Measure.QUEUE, subject, 1), body=b"no sketch")
    other = sketch(Measure.QUEUE, ("too", "short"), 1)
    snapshot = read(taken(report(Snapshot(THERE), bad, other, sketch(Measure.COMPUTE, subject, 1))))
    assert snapshot.work == ()


def test_what_goes_elsewhere_is_told_by_service() -> None:
    away = Placement("vad", "fp32", "cloud")
    routes = (RouteSet("calls", PARIS, (Way(700, (VAD,)), Way(300, (VAD, away)))),)
    assert away_permille(routes, OWN.pools) == (("calls", 300),)


def test_a_change_of_loads_is_told_at_once_and_a_report_of_the_same_is_not() -> None:
    told: list[bool] = []
    reports = SiteReports(lambda: told.append(True))
    for sequence, instances in enumerate((1, 1, 2), start=1):
        reports.take(report(Snapshot(THERE, servers=(holding(instances, THERE),)), sequence=sequence), PEER, HERE)
    assert len(told) == 2
