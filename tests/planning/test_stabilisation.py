"""Capacity goes down only to the most that was needed over a while, and what is planned for while nothing is read."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from world import BUSY, CALM, FRANKFURT, LYON, OCR, PARIS, POLICY, START, VAD, World

from collectors.recording import decode, encode
from collectors.snapshot import Offered, Reading, Snapshot
from controller.decision import Decision, KnownRate, Peak, State
from controller.planning.demand import ask
from controller.planning.peaks import highest_first
from policy.resolved import OnMissing, Policy

WINDOW = timedelta(seconds=300)


def scaled(**changes: Any) -> Policy:
    return replace(POLICY, revision="scaled", scaling=replace(POLICY.scaling, **changes))


def planned(decision: Decision) -> dict[tuple[str, str], int]:
    return {(item.service, item.origin): item.rate_milli_rps for item in decision.forecasts}


def instances(decision: Decision) -> int:
    return sum(load.instances for load in decision.fleet.loads)


def peak(milli_rps: int, at_s: int) -> Peak:
    return Peak(VAD, PARIS, milli_rps, START + timedelta(seconds=at_s))


@pytest.mark.parametrize(
    ("before", "latest", "after"),
    [
        ((), peak(5, 0), (peak(5, 0),)),
        ((peak(9, 0),), peak(5, 300), (peak(9, 0), peak(5, 300))),
        ((peak(9, 0),), peak(5, 301), (peak(5, 301),)),
        ((peak(9, 0), peak(7, 10)), peak(8, 20), (peak(9, 0), peak(8, 20))),
        ((peak(9, 0), peak(7, 10)), peak(7, 305), (peak(7, 305),)),
        ((peak(9, 0), peak(7, 10)), peak(9, 20), (peak(9, 20),)),
    ],
)
def test_what_counts_is_what_was_higher_within_the_window(
    before: tuple[Peak, ...], latest: Peak, after: tuple[Peak, ...]
) -> None:
    assert highest_first(before, latest, WINDOW) == after


def test_demand_counts_as_the_highest_of_the_window_and_less_once_that_is_over() -> None:
    world = World(scaled(stabilisation_s=300), rates=dict(BUSY))
    busy = world.turn()
    world.rates = dict(CALM)
    for _ in range(9):
        decision = world.turn()
        assert planned(decision) == planned(busy)
        assert instances(decision) >= instances(busy)
    for _ in range(6):
        decision = world.turn()
    assert planned(decision) == planned(World(rates=dict(CALM)).turn())
    assert instances(decision) < instances(busy)


def test_more_is_planned_for_at_once() -> None:
    world = World(scaled(stabilisation_s=300), rates=dict(CALM))
    world.turn()
    world.rates = dict(BUSY)
    assert planned(world.turn()) == planned(World(rates=dict(BUSY)).turn())


def test_a_controller_that_starts_anew_remembers() -> None:
    world = World(scaled(stabilisation_s=300), rates=dict(BUSY))
    busy = world.turn()
    world.state = decode(encode(world.state), State)
    world.rates = dict(CALM)
    assert planned(world.turn()) == planned(busy)


def test_without_stabilisation_nothing_is_remembered() -> None:
    assert World(rates=dict(BUSY)).turn().state.peaks == ()


def test_nobody_is_refused_for_requests_that_no_longer_come() -> None:
    world = World(scaled(stabilisation_s=600), rates=dict(BUSY))
    world.rest()
    world.rates = dict(CALM)
    assert planned(world.turn())[OCR, PARIS] > planned(World(rates=dict(CALM)).turn())[OCR, PARIS]
    world.servers[FRANKFURT] = None
    lost = world.turn()
    calm = World(scaled(stabilisation_s=600), rates=dict(CALM))
    calm.servers[FRANKFURT] = None
    assert {item.service: item.served_permille for item in lost.forecasts} == {
        item.service: item.served_permille for item in calm.turn().forecasts
    }


EXPECTED = {PARIS: 6_000, LYON: 6_000}


@pytest.mark.parametrize(
    ("on_missing", "last", "milli_rps"),
    [
        (OnMissing.HOLD, 2_000, 2_000),
        (OnMissing.EXPECTED, 2_000, 6_000),
        (OnMissing.HOLD, 9_000, 9_000),
        (OnMissing.EXPECTED, 9_000, 9_000),
        (OnMissing.EXPECTED, None, 6_000),
        (OnMissing.HOLD, None, 6_000),
    ],
)
def test_what_is_planned_for_while_readings_are_missing(
    on_missing: OnMissing, last: int | None, milli_rps: int
) -> None:
    policy = scaled(on_missing=on_missing, headroom_permille=0)
    known = () if last is None else (KnownRate(VAD, PARIS, last, START), KnownRate(VAD, LYON, last, START))
    gone = tuple(Offered(VAD, site, Reading(None, None, "gateway")) for site in EXPECTED)
    asked = ask(policy, Snapshot(START, offered=gone), known, START)
    assert [item.rate_milli_rps for item in asked.demands if item.service == VAD] == [milli_rps, milli_rps]
    assert VAD in asked.held
    told = [finding.message for finding in asked.findings if finding.subject.startswith(VAD)]
    assert all(f"planning goes on with {milli_rps / 1000:g} req/s" in message for message in told)
    assert {rate.milli_rps for rate in asked.rates if rate.service == VAD} == {6_000 if last is None else last}
