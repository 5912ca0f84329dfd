"""What an agent tells, and that it is never more than a site may send: measured on what really goes up the wire."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from datasketches import req_ints_sketch

from collectors.snapshot import Reading, Snapshot, StageWork, Work
from controller.sites.agent.enrolled import enrolled
from controller.sites.agent.hub_calls import Hub
from controller.sites.agent.keeping import open_folder
from controller.sites.agent.reporting import Telling, fitting, report_of
from controller.sites.agent.sketches import Sketches
from controller.sites.hub.making_keys import AUTHORITY
from controller.sites.report import MOST_BYTES_PER_S, Measure, unpacked
from tests.sites.agent_world import START, fresh
from tests.sites.cut_wire import wire_to
from tests.sites.hubs import hub_at

TELL_S = 5
RNG = np.random.default_rng(7)


def telling(sketches: Sketches, second: int, seen: Snapshot) -> Telling:
    now = START + timedelta(seconds=second)
    return Telling(fresh(), second, now, seen, (), None, 0, sketches.take(now), ())


def observed(sketches: Sketches, stages: int, requests: int) -> None:
    for stage in range(stages):
        for took_us in RNG.lognormal(9.0, 1.0, requests).astype(int).tolist():
            sketches.add_stage(("edge", f"model-{stage}", "fp16"), took_us // 4, took_us, 1.0)


def work(stages: int) -> Snapshot:
    counted = Reading(StageWork(10.0, 12_345, 2, 4_321, 98_765_432, 123_456_789, 3), START, "agent")
    nothing = Reading(None, None, "agent")
    return Snapshot(
        START, work=tuple(Work("edge", f"model-{i}", "fp16", counted, nothing, "edge-0") for i in range(stages))
    )


def test_a_sketch_says_what_the_times_were() -> None:
    sketches = Sketches(START)
    for took_us in range(1, 1001):
        sketches.add(Measure.RUN, ("receipts", "edge"), took_us, 2.0)
    (found,) = sketches.take(START + timedelta(seconds=10))
    assert (found.measure, found.subject, found.window_s, found.count) == (
        Measure.RUN,
        ("receipts", "edge"),
        10.0,
        2_000,
    )
    sketch = req_ints_sketch.deserialize(found.body)
    assert sketch.n == 1_000
    assert sketch.get_quantile(0.99) == pytest.approx(990, abs=2)
    assert sketches.take(START + timedelta(seconds=20)) == ()


def test_what_does_not_fit_is_left_out_from_what_matters_least() -> None:
    sketches = Sketches(START)
    observed(sketches, 200, 1_000)
    report = report_of(telling(sketches, 10, work(200)))
    whole = fitting(report, 10**6)
    assert whole is None or len(whole) <= 200_000
    half = fitting(report, 60_000)
    assert half is not None
    assert len(half) <= 60_000
    assert 0 < len(unpacked(half).sketches) < 400
    assert unpacked(half).seen.work == report.seen.work
    least = fitting(report, 3_000)
    assert least is None or unpacked(least).sketches == ()
    assert fitting(report, 100) is None


@pytest.mark.parametrize("most_bytes", [20_000, 60_000, 100_000])
def test_long_names_leave_sketches_out_and_never_all_of_them(most_bytes: int) -> None:
    sketches = Sketches(START)
    for stage in range(200):
        name = RNG.bytes(120).hex()  # which packs to half of its length, and no further
        for took_us in range(1, 20):
            sketches.add_stage(("edge", name, f"variant-{stage}"), took_us, took_us, 1.0)
    report = report_of(telling(sketches, 10, work(0)))
    data = fitting(report, most_bytes)
    assert data is not None
    assert len(data) <= most_bytes
    assert 0 < len(unpacked(data).sketches) < 400


async def test_a_busy_site_sends_less_than_it_may_tls_included(tmp_path: Path) -> None:
    """Twenty stages at a hundred requests a second each, told every five seconds."""
    sketches, reports = Sketches(START), 3
    folder = tmp_path / "agent"
    open_folder(folder)
    async with (
        hub_at(tmp_path, "edge") as called,
        wire_to("127.0.0.1", int(called.url.rpartition(":")[2])) as (wire, near),
    ):
        token = called.registry.new_token("edge", called.clock() + timedelta(hours=1))
        hub = Hub(near, called.keys / AUTHORITY, await enrolled(folder, "edge", near, called.keys / AUTHORITY, token))
        before = wire.bytes_up
        for number in range(1, reports + 1):
            observed(sketches, 20, 100 * TELL_S)
            data = fitting(report_of(telling(sketches, number * TELL_S, work(20))), MOST_BYTES_PER_S * TELL_S)
            assert data is not None
            await hub.report(data)
        await hub.close()
        heard = called.hub.reports.of("edge")
        assert heard is not None
        assert len(heard.report.sketches) == 40
        sent_per_s = (wire.bytes_up - before) / (reports * TELL_S)
    assert 1_000 < sent_per_s < MOST_BYTES_PER_S / 2


def test_a_gateway_that_does_not_tell_is_not_one_that_follows_nothing() -> None:
    seen = Telling(fresh(), 1, START, work(1), (), None, 0, (), ())
    assert not report_of(seen).unread
    assert report_of(replace(seen, routes=None)).unread
