"""Services that scale to zero: when they sleep, what stands meanwhile, and how they wake up."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from world import CALM, LYON, OCR, PARIS, POLICY, START, VAD, World, line

from collectors.recording import decode, encode
from collectors.snapshot import Expected, Foreseen, Offered, Rate, Reading, Snapshot
from controller.actions import Outcome
from controller.decision import Decision, Silence, State, Verdict
from controller.explain import candidates
from controller.fleet import RouteSet
from controller.loop.remembering import remembered
from controller.planning.build import build
from controller.planning.decide import decide
from controller.planning.sleep import sleep
from controller.whatif import AssumedRate, TrafficFactor, WhatIf, would_decide
from policy.resolved import OnMissing, Policy, ScaleToZero
from policy.windows import Window

AFTER_S = 120
QUIET = CALM | {(VAD, PARIS): 0, (VAD, LYON): 0}
ASLEEP = State(asleep=(VAD,))


def sleepy(*names: str, **scaling: Any) -> Policy:
    clause = ScaleToZero(AFTER_S, 20_000_000, line(60))
    services = (replace(each, scale_to_zero=clause) if each.name in names else each for each in POLICY.services)
    return replace(POLICY, revision="sleepy", services=tuple(services), scaling=replace(POLICY.scaling, **scaling))


def fallen_asleep(policy: Policy, *names: str) -> World:
    """A world in which nobody asks for these services any more, and has not for long enough."""
    world = World(policy, rates=dict(CALM))
    world.rest()
    world.rates = {key: 0 if key[0] in names else rate for key, rate in CALM.items()}
    for _ in range(AFTER_S // 10):
        world.turn(10)
    return world


def models(decision: Decision) -> set[str]:
    return {load.placement.model for load in decision.fleet.loads}


def planned(decision: Decision) -> dict[tuple[str, str], int]:
    return {(item.service, item.origin): item.rate_milli_rps for item in decision.forecasts}


def told(*rates: int | None, window_s: float = 10.0, at_s: float = 0.0) -> Snapshot:
    """What gateways tell of the two origins of the voice service."""
    at = START + timedelta(seconds=at_s)
    readings = (Reading(None, None, "gateway") if r is None else Reading(Rate(r, r, window_s), at, "g") for r in rates)
    origins = zip((PARIS, LYON), readings, strict=True)
    return Snapshot(at, offered=tuple(Offered(VAD, origin, reading) for origin, reading in origins))


def foreseeing(p90_milli_rps: int, snapshot: Snapshot) -> Snapshot:
    foreseen = Foreseen(0, p90_milli_rps, p90_milli_rps, 120)
    return replace(snapshot, expected=(Expected(VAD, PARIS, Reading(foreseen, snapshot.at, "forecast")),))


def silent(since_s: float, until_s: float, *origins: str) -> tuple[Silence, ...]:
    def after(seconds: float) -> Any:
        return START + timedelta(seconds=seconds)

    return tuple(Silence(VAD, origin, after(since_s), after(until_s)) for origin in origins or (PARIS, LYON))


def test_nothing_stands_of_a_service_that_nobody_has_asked_for_so_long() -> None:
    world = World(sleepy(VAD), rates=dict(CALM))
    busy = world.rest()
    world.rates = dict(QUIET)
    for _ in range(AFTER_S // 10 - 1):
        assert "vad" in models(world.turn(10))
    asleep = world.turn(10)
    assert models(busy) - models(asleep) == {"vad"}
    assert {RouteSet(VAD, PARIS, ()), RouteSet(VAD, LYON, ())} <= set(asleep.fleet.routes)
    assert [wave.name for wave in asleep.transition.waves] == ["withdraw", "shrink"]
    assert asleep.state.asleep == (VAD,)
    assert {service for service, _ in planned(asleep)} == {OCR}
    assert asleep.findings == ()


def test_a_fleet_that_nobody_asks_for_anything_costs_nothing() -> None:
    world = fallen_asleep(sleepy(VAD, OCR), VAD, OCR)
    asleep = world.rest()
    assert (asleep.fleet.loads, asleep.cost_millicents_per_hour, asleep.findings) == ((), 0, ())
    assert all(routes.ways == () for routes in asleep.fleet.routes)


def test_the_first_request_wakes_it_and_the_turn_after_plans_for_what_arrives() -> None:
    world = fallen_asleep(sleepy(VAD), VAD)
    world.rates = CALM | {(VAD, PARIS): 60_000}
    woken = world.turn(10)
    assert [wave.name for wave in woken.transition.waves] == ["grow", "route"]
    assert planned(woken)[VAD, PARIS] == planned(woken)[VAD, LYON] == 1
    assert sum(load.instances for load in woken.fleet.loads if load.placement.model == "vad") == 1
    assert planned(world.turn(10))[VAD, PARIS] == 72_000


def test_it_stays_awake_for_as_long_again() -> None:
    world = fallen_asleep(sleepy(VAD), VAD)
    world.rates = dict(CALM)
    world.turn(10)
    world.rates = dict(QUIET)
    for _ in range(AFTER_S // 10 - 1):
        assert "vad" in models(world.turn(10))
    assert "vad" not in models(world.turn(10))


def test_a_controller_that_starts_anew_lets_it_sleep() -> None:
    world = fallen_asleep(sleepy(VAD), VAD)
    world.state = decode(encode(world.state), State)
    world.rates_at = world.now  # what a gateway told before, which is stale by the time of the turn
    assert "vad" not in models(world.turn(30))
    assert world.state.asleep == (VAD,)


def almost_asleep() -> World:
    """A turn before the service has been asked for nothing for long enough."""
    world = World(sleepy(VAD), rates=dict(CALM))
    world.rest()
    world.rates = dict(QUIET)
    for _ in range(AFTER_S // 10 - 1):
        world.turn(10)
    return world


def undone(world: World, *waves: str) -> Decision:
    """A turn of whose decision only these waves are carried out."""
    world.now += timedelta(seconds=10)
    decision = decide(world.policy, world.snapshot(), world.state, world.now)
    done = [
        Outcome(decision.id, wave.name, action, world.now, world.now)
        for wave in decision.transition.waves
        if wave.name in waves
        for action in wave.actions
    ]
    world.state = remembered(world.state, decision, done)
    return decision


def test_what_was_never_put_to_sleep_is_awake_when_a_freeze_begins() -> None:
    world = almost_asleep()
    assert undone(world).state.asleep == (VAD,)
    assert world.state.asleep == ()
    freezes = (Window(int(world.now.timestamp()) + 1, 2**40),)
    world.policy = replace(sleepy(VAD, freezes=freezes), revision="frozen")
    frozen = world.turn(10)
    assert (frozen.transition.waves, frozen.state.asleep) == ((), ())


def test_what_was_never_put_to_sleep_is_awake_when_readings_are_missing() -> None:
    world = almost_asleep()
    undone(world)
    world.rates_at = world.now
    held = world.turn(60)
    assert (held.transition.waves, held.state.asleep) == ((), ())


def test_what_no_route_leads_to_sleeps_though_it_still_stands() -> None:
    world = almost_asleep()
    undone(world, "withdraw")
    assert world.state.asleep == (VAD,)
    assert [wave.name for wave in world.turn(10).transition.waves] == ["shrink"]


@pytest.mark.parametrize("waves", [(), ("grow",)])
def test_a_wake_up_that_failed_is_tried_again_as_one(waves: tuple[str, ...]) -> None:
    world = fallen_asleep(sleepy(VAD), VAD)
    world.rates = CALM | {(VAD, PARIS): 60_000}
    undone(world, *waves)
    assert world.state.asleep == (VAD,)
    woken = world.turn(10)
    assert [wave.name for wave in woken.transition.waves] == ["grow", "route"]
    assert planned(woken)[VAD, PARIS] == planned(woken)[VAD, LYON] == 1
    assert world.state.asleep == ()


@pytest.mark.parametrize("waves", [(), ("withdraw",)])
def test_what_would_be_at_a_rate_is_told_after_a_sleep_that_failed_as_well(waves: tuple[str, ...]) -> None:
    world = almost_asleep()
    undone(world, *waves)
    whatif = WhatIf(rates=(AssumedRate(VAD, PARIS, 600_000),))
    foretold = would_decide(whatif, world.policy, world.snapshot(), world.state, decide)
    world.rates[VAD, PARIS] = 600_000
    turns = world.turn(0), world.turn(0)
    assert planned(foretold)[VAD, PARIS] == 720_000
    assert (foretold.fleet, foretold.plan) == (turns[1].fleet, turns[1].plan)
    assert foretold.transition.waves == tuple(wave for turn in turns for wave in turn.transition.waves)
    assert (foretold.verdict, foretold.state.asleep) == (Verdict.CHANGE, ())


def test_what_would_be_at_a_rate_is_planned_for_that_rate_and_not_for_one_request() -> None:
    world = fallen_asleep(sleepy(VAD), VAD)
    whatif = WhatIf(rates=(AssumedRate(VAD, PARIS, 600_000),))
    foretold = would_decide(whatif, world.policy, world.snapshot(), world.state, decide)
    world.rates[VAD, PARIS] = 600_000
    woken, after = world.turn(0), world.turn(0)
    assert planned(foretold)[VAD, PARIS] == 720_000
    assert (foretold.fleet, foretold.plan) == (after.fleet, after.plan)
    assert foretold.transition.waves == (*woken.transition.waves, *after.transition.waves)
    assert foretold.transition.duration_us == woken.transition.duration_us + after.transition.duration_us
    assert (foretold.verdict, foretold.state.asleep) == (Verdict.CHANGE, ())


def test_what_one_instance_can_serve_would_be_a_change_as_well() -> None:
    world = fallen_asleep(sleepy(VAD), VAD)
    whatif = WhatIf(rates=(AssumedRate(VAD, PARIS, 100),))
    foretold = would_decide(whatif, world.policy, world.snapshot(), world.state, decide)
    assert (foretold.verdict, planned(foretold)[VAD, PARIS]) == (Verdict.CHANGE, 120)
    assert [wave.name for wave in foretold.transition.waves] == ["grow", "route"]


def test_three_times_nothing_would_put_nothing_to_sleep_before_its_time() -> None:
    world = World(sleepy(VAD), rates=dict(CALM))
    world.rest()
    world.rates = dict(QUIET)
    world.turn(10)
    whatif = WhatIf(traffic=(TrafficFactor(3000),))
    foretold = would_decide(whatif, world.policy, world.snapshot(), world.state, decide)
    assert (foretold.state.asleep, "vad" in models(foretold)) == ((), True)


def test_a_service_that_does_not_scale_to_zero_is_woken_by_its_document() -> None:
    world = fallen_asleep(sleepy(VAD), VAD)
    world.policy = replace(POLICY, revision="awake")
    assert "vad" in models(world.turn(10))
    assert world.state.asleep == world.state.silences == ()


def test_what_may_not_serve_it_is_told_while_it_sleeps() -> None:
    world = fallen_asleep(sleepy(OCR), OCR)
    asleep = world.turn(10)
    built = build(world.policy, world.snapshot(), asleep.state, asleep.at)
    judged = [each for each in candidates(world.policy, asleep, built.exclusions) if each.service == OCR]
    barred = {each.placement.pool for each in judged if "certification" in {one.rule for one in each.objections}}
    assert barred == {LYON}
    assert all(each.instances == each.share_permille == 0 for each in judged)


@pytest.mark.parametrize(
    ("before", "snapshot", "after"),
    [
        ((), told(0, 0), silent(-10, 0)),
        (silent(-100, -10), told(0, 0), silent(-100, 0)),
        (silent(-100, -11), told(0, 0), silent(-10, 0)),
        (silent(-100, -5), told(0, 7), (*silent(-100, 0, PARIS), *silent(0, 0, LYON))),
        (silent(-100, -5), told(0, None), (*silent(-100, 0, PARIS), *silent(-100, -5, LYON))),
        ((), told(None, None), silent(0, 0)),
    ],
)
def test_a_silence_goes_on_while_readings_leave_no_gap(
    before: tuple[Silence, ...], snapshot: Snapshot, after: tuple[Silence, ...]
) -> None:
    assert sleep(sleepy(VAD), snapshot, State(silences=before), START).silences == after


@pytest.mark.parametrize(
    ("scaling", "silence", "snapshot", "sleeps"),
    [
        ({}, silent(-120, -10), told(0, 0), True),
        ({}, silent(-119, -10), told(0, 0), False),
        ({}, silent(-135, -15), told(0, 0, at_s=-15), True),
        ({}, silent(-134, -15), told(0, 0, at_s=-15), False),
        ({}, silent(-200, -10), told(0, 1), False),
        ({}, silent(-200, -10), told(0, None), False),
        ({}, silent(-200, -10, PARIS), told(0, 0), False),
        ({"cooldown_s": 199}, silent(-200, -10), told(0, 0), True),
        ({"cooldown_s": 201}, silent(-200, -10), told(0, 0), False),
        ({"stabilisation_s": 201}, silent(-200, -10), told(0, 0), False),
        ({"freezes": (Window(int(START.timestamp()), 2**40),)}, silent(-200, -10), told(0, 0), False),
        ({}, silent(-200, -10), foreseeing(16, told(0, 0)), True),
        ({}, silent(-200, -10), foreseeing(17, told(0, 0)), False),
    ],
)
def test_it_falls_asleep_on_what_is_known_alone(
    scaling: dict[str, Any], silence: tuple[Silence, ...], snapshot: Snapshot, *, sleeps: bool
) -> None:
    found = sleep(sleepy(VAD, **scaling), snapshot, State(silences=silence), START)
    assert found.asleep == ({VAD} if sleeps else frozenset())
    assert found.woken == frozenset()


@pytest.mark.parametrize(
    ("scaling", "snapshot", "sleeps"),
    [
        ({}, told(0, 0), True),
        ({}, told(None, None), True),
        ({}, told(None, 1), False),
        ({}, foreseeing(17, told(0, 0)), False),
        ({"on_missing": OnMissing.EXPECTED}, told(0, 0), True),
        ({"on_missing": OnMissing.EXPECTED}, told(0, None), False),
        ({"freezes": (Window(int(START.timestamp()), 2**40),)}, told(0, 0), True),
    ],
)
def test_it_sleeps_on_until_something_wakes_it(scaling: dict[str, Any], snapshot: Snapshot, *, sleeps: bool) -> None:
    found = sleep(sleepy(VAD, **scaling), snapshot, ASLEEP, START)
    assert (found.asleep, found.woken) == (({VAD}, frozenset()) if sleeps else (frozenset(), {VAD}))
    assert sleeps or found.silences == silent(0, 0)


def test_a_gateway_whose_clock_is_ahead_tells_of_no_silence_that_is_still_to_come() -> None:
    policy, now = sleepy(VAD, stale_after_s=300), START
    ahead = told(0, 0, at_s=90)
    state = State()
    for _ in range(2):
        decision = decide(policy, replace(ahead, at=now), state, now)
        assert "GW2148" not in {finding.id for finding in decision.findings}, "no clock was set back"
        assert all(item.until <= now for item in decision.state.silences)
        state, now = decision.state, now + timedelta(seconds=5)
