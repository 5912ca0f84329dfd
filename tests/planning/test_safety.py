"""Whatever happens to the fleet, no plan and no moment between two plans breaks a compliance rule.

The judge here is written from the policy's sentences and shares nothing with the rules or the planner.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from world import BUSY, CALM, FRANKFURT, OCR, PARIS, POOLS, VAD, World

from controller.actions import SetLoad, SetRoutes, Unload
from controller.decision import Decision
from controller.fleet import Load, RouteSet
from rules.kernel.problem import Placement

MEMORY_MIB = {
    ("det", "fp32"): 600,
    ("cls", "fp32"): 200,
    ("rec", "fp32"): 500,
    ("vad", "fp32"): 100,
    ("vad", "half"): 60,
}
ROOM_MIB = {PARIS: 8_192, "edge-lyon": 8_192, FRANKFURT: 3 * 16_384}

EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("rate"), st.sampled_from(sorted(CALM)), st.integers(0, 60_000)),
        st.tuples(st.just("lose"), st.sampled_from(POOLS), st.just(0)),
        st.tuples(st.just("return"), st.sampled_from(POOLS), st.just(0)),
        st.tuples(st.just("ends in"), st.sampled_from((PARIS, FRANKFURT)), st.integers(-5, 120)),
        st.tuples(st.just("renew"), st.sampled_from((PARIS, FRANKFURT)), st.just(100_000)),
        st.tuples(st.just("budget"), st.just(""), st.integers(0, 500_000)),
    ),
    min_size=1,
    max_size=6,
)


class Watch:
    """Follows the actions of decisions, one by one, as servers and gateways would."""

    def __init__(self) -> None:
        self.loads: dict[Placement, Load] = {}
        self.routes: dict[tuple[str, str], RouteSet] = {}

    def follow(self, decision: Decision, world: World) -> None:
        self.loads = {p: load for p, load in self.loads.items() if world.servers[p.pool] is not None}
        for wave in decision.transition.waves:
            for action in wave.actions:
                if isinstance(action, SetLoad):
                    self.loads[action.load.placement] = action.load
                elif isinstance(action, Unload):
                    self.loads.pop(action.placement, None)
                elif isinstance(action, SetRoutes):
                    self.routes |= {(r.service, r.origin): r for r in action.routes}
                if wave.name != "withdraw":
                    self.judge(world, decision.at)
            self.judge(world, decision.at)

    def judge(self, world: World, now: datetime) -> None:
        for (service, _), routes in self.routes.items():
            for way in routes.ways:
                for placement in way.placements:
                    assert service != OCR or world.certified.get(placement.pool, now) > now, "card data, not certified"
                    assert placement in self.loads, "a route to what is not loaded"
        for pool, room in ROOM_MIB.items():
            used = sum(
                MEMORY_MIB[p.model, p.variant] * load.instances for p, load in self.loads.items() if p.pool == pool
            )
            assert used <= room, "more memory than the pool has"


def happen(world: World, event: tuple[str, object, int]) -> None:
    kind, subject, value = event
    if kind == "rate":
        assert isinstance(subject, tuple)
        world.rates[subject] = value
    elif kind == "budget":
        world.budget(value)
    elif kind == "lose":
        world.servers[str(subject)] = None
    elif kind == "return":
        world.servers[str(subject)] = world.servers[str(subject)] or ()
    else:
        world.certification_ends(str(subject), value)


def decisions(world: World, watch: Watch, events: list[tuple[str, object, int]]) -> Iterator[Decision]:
    """The decision of the first turn and of one after each event, each followed."""
    decision = world.turn()
    watch.follow(decision, world)
    yield decision
    for event in events:
        happen(world, event)
        decision = world.turn(30)
        watch.follow(decision, world)
        yield decision


@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(events=EVENTS)
def test_no_moment_breaks_a_rule_whatever_happens(events: list[tuple[str, object, int]]) -> None:
    world = World()
    for decision in decisions(world, Watch(), events):
        assert decision.cost_millicents_per_hour <= world.policy.cost.ceilings[0].millicents_per_hour or (
            "GW2012" in {finding.id for finding in decision.findings}
        )


def test_the_watch_sees_a_breach_when_there_is_one() -> None:
    world, watch = World(rates=dict(BUSY)), Watch()
    watch.follow(world.turn(), world)
    world.certified[PARIS] = world.now
    with pytest.raises(AssertionError, match="card data"):
        watch.judge(world, world.now)


def test_a_policy_without_services_asks_for_nothing() -> None:
    world = World(policy=replace(World().policy, services=()))
    decision = world.turn()
    assert decision.fleet.loads == ()
    assert {r.service for r in decision.fleet.routes} == set()
    assert VAD not in {f.service for f in decision.forecasts}
