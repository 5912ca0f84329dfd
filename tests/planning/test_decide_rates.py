"""How a turn follows rates: noise, growth, silence, what is foreseen, and what was just started."""

from dataclasses import replace
from datetime import timedelta

import pytest
from world import (
    BUSY,
    CALM,
    PARIS,
    POLICY,
    START,
    VAD,
    World,
    finding_ids,
)

from collectors.snapshot import Expected, Foreseen, ModelState, Reading
from controller.decision import Decision, KnownBurst, State, Verdict
from controller.planning.build import build
from controller.planning.decide import decide


@pytest.mark.parametrize("factor", [0.8, 0.95, 1.0, 1.05])
def test_noise_in_the_measured_rates_moves_nothing(factor: float) -> None:
    world = World(rates=dict(BUSY))
    world.turn()
    world.turn()
    world.rates = {key: int(rate * factor) for key, rate in BUSY.items()}
    assert world.turn().verdict is Verdict.KEEP


def test_ten_times_the_traffic_grows_the_fleet_before_anything_shrinks() -> None:
    world = World()
    calm = world.turn()
    world.rates = dict(BUSY)
    busy = world.turn()
    capacity = sum(load.instances for load in busy.fleet.loads)
    assert capacity > sum(load.instances for load in calm.fleet.loads)
    names = [wave.name for wave in busy.transition.waves]
    assert names == [name for name in ("withdraw", "grow", "route", "shrink") if name in names]
    assert all(f.served_permille == 1000 for f in busy.forecasts)


def test_a_loading_instance_counts_as_supply() -> None:
    world = World()
    world.turn()
    world.servers = {
        pool: tuple(replace(m, state=ModelState.LOADING) for m in models) for pool, models in world.servers.items()
    }
    assert world.turn().verdict is Verdict.KEEP


def test_stale_rates_scale_nothing_down_and_say_so() -> None:
    world = World(rates=dict(BUSY))
    before = world.turn()
    world.rates_at = world.now
    world.rates = dict.fromkeys(BUSY, 0)
    decision = world.turn(300)
    assert "GW2001" in finding_ids(decision)
    assert decision.fleet.loads == before.fleet.loads


def test_zero_traffic_that_was_really_measured_shrinks_the_fleet() -> None:
    world = World(rates=dict(BUSY))
    before = world.turn()
    world.rates = dict.fromkeys(BUSY, 0)
    for _ in range(4):
        decision = world.turn(120)
    assert sum(x.instances for x in decision.fleet.loads) < sum(x.instances for x in before.fleet.loads)


def test_an_instance_that_nothing_needs_goes_however_dear_starts_are() -> None:
    world = World(policy=replace(POLICY, cost=replace(POLICY.cost, start_millicents=1_000_000)))
    before = world.rest()
    idle, *others = world.servers[PARIS]
    world.servers[PARIS] = (replace(idle, instances=idle.instances + 1), *others)
    assert world.turn(120).fleet.loads == before.fleet.loads


def test_nothing_that_was_just_started_is_taken_away_within_the_cooldown() -> None:
    world = World(rates=dict(BUSY))
    before = world.turn()
    world.rates = dict.fromkeys(BUSY, 10)
    decision = world.turn(5)
    counts = {load.placement: load.instances for load in decision.fleet.loads}
    assert all(counts.get(load.placement, 0) >= load.instances for load in before.fleet.loads)


def test_idle_rates_are_planned_as_calm_ones_are() -> None:
    world = World(rates=dict(CALM))
    decision = world.turn()
    assert {f.rate_milli_rps for f in decision.forecasts if f.service == VAD} == {7200}


def foreseeing(world: World, p90_milli_rps: int, age_s: int = 0) -> int:
    """What is planned for the voice service from Paris when so much of it is foreseen."""
    at = world.now - timedelta(seconds=age_s)
    reading = Reading(Foreseen(p90_milli_rps, p90_milli_rps, p90_milli_rps, 120), at, "forecast")
    snapshot = replace(world.snapshot(), expected=(Expected(VAD, PARIS, reading),))
    built = build(world.policy, snapshot, world.state, world.now)
    return next(d.rate_milli_rps for d in built.whole.demands if (d.service, d.origin) == (VAD, PARIS))


@pytest.mark.parametrize(
    ("p90_milli_rps", "age_s", "planned"),
    [
        (5_000, 0, 7_200),  # less than the rate with its headroom
        (9_000, 0, 9_000),
        (9_001, 0, 9_500),  # in steps
        (9_000, 121, 7_200),  # too old
    ],
)
def test_the_larger_of_headroom_and_forecast_is_planned_for(p90_milli_rps: int, age_s: int, planned: int) -> None:
    world = World()
    world.turn()
    assert foreseeing(world, p90_milli_rps, age_s) == planned


def test_a_demand_that_comes_in_bursts_is_given_more_room() -> None:
    """At the same rate the plan's own prediction is longer, and no plan is taken whose prediction is too long."""
    world = World()
    calm = decide(POLICY, world.snapshot(), State(), START)
    bursts = (KnownBurst(VAD, PARIS, 800, 500_000, 800, 500_000),)
    bursty = decide(POLICY, world.snapshot(), State(bursts=bursts), START)
    p99_us = {name: forecast_p99_us(decision, VAD, PARIS) for name, decision in (("calm", calm), ("bursty", bursty))}
    assert p99_us["bursty"] > p99_us["calm"]
    assert bursty.state.bursts == bursts
    assert bursty.cost_millicents_per_hour >= calm.cost_millicents_per_hour


def forecast_p99_us(decision: Decision, service: str, origin: str) -> int:
    return next(item.p99_us for item in decision.forecasts if (item.service, item.origin) == (service, origin))
