"""Promises that take many nodes or instances at once are kept in large fleets, whatever they cost to start."""

from dataclasses import replace

import pytest

from controller.decision import Decision
from policy.resolved import AvailabilityObjective, Policy
from tests.planning.world import CALM, FRANKFURT, POLICY, VAD, World, line

NODES = 400
VOICE = {key: rate for key, rate in CALM.items() if key[0] == VAD}


def voice(promised: AvailabilityObjective | None = None, *, start_millicents: int = 100, times: int = 1) -> Policy:
    """The voice service alone, in a fleet with a large pool, whose nodes cost so many times as much."""
    service = replace(POLICY.service(VAD), availability=promised)
    pools = (
        replace(
            pool,
            nodes=NODES if pool.name == FRANKFURT else pool.nodes,
            price_millicents_per_hour=pool.price_millicents_per_hour * times,
        )
        for pool in POLICY.pools
    )
    cost = replace(POLICY.cost, ceilings=(), start_millicents=start_millicents)
    return replace(POLICY, services=(service,), pools=tuple(pools), cost=cost)


def decided(policy: Policy) -> Decision:
    return World(policy=policy, rates=dict(VOICE)).turn()


@pytest.mark.parametrize(
    "promised", [AvailabilityObjective(1, 12, line(1)), AvailabilityObjective(1, 1, line(1), spares=30)]
)
def test_a_promise_that_takes_many_is_kept(promised: AvailabilityObjective) -> None:
    decision = decided(voice(promised))
    assert decision.plan.degraded == ()
    assert decision.plan.unserved == ()
    assert sum(item.count for item in decision.plan.instances) >= max(promised.nodes, promised.spares)


def test_a_site_that_may_be_lost_leaves_room_elsewhere() -> None:
    decision = decided(voice(AvailabilityObjective(1, 1, line(1), survives_any_site=True)))
    assert decision.plan.degraded == ()
    assert decision.plan.unserved == ()
    assert len({load.placement.pool for load in decision.fleet.loads}) > 1


@pytest.mark.parametrize("start_millicents", [100, 100_000_000])
@pytest.mark.parametrize("times", [0, 1])
def test_no_price_of_a_start_is_a_reason_to_refuse(start_millicents: int, times: int) -> None:
    decision = decided(voice(start_millicents=start_millicents, times=times))
    assert [item.served_permille for item in decision.forecasts] == [1000, 1000]
    assert decision.plan.degraded == ()
