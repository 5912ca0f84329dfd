"""A service that does not preempt waits until there is room; what it has already counts by its own priority."""

import threading
from dataclasses import replace
from typing import Any

import pytest
from world import World, device, line, model

from collectors.recording import decode, encode
from controller.decision import Decision, State
from controller.planning.build import build
from controller.planning.polish import polished
from controller.planning.whole.size import is_small
from policy.resolved import (
    AccuracyObjective,
    DegradeStep,
    LatencyObjective,
    NeverPreempts,
    Orchestration,
    Origin,
    Policy,
    Pool,
    Purchase,
    ScaleToZero,
    Service,
    Site,
    Stage,
    UseVariant,
)
from tests.planning.world import POLICY

HALL = "hall"
URGENT, STEADY = "urgent", "steady"


def service(name: str, priority: int, *degrade: DegradeStep, never: bool = False) -> Service:
    return Service(
        name=name,
        labels=(),
        data_classes=(),
        data_subjects=(),
        orchestration=Orchestration.ORIGIN,
        origins=(Origin(HALL, 1000, line(1)),),
        stages=(Stage("run", "net", (), 1, 1_000, line(1)),),
        expected_rate_milli_rps=1_000,
        latency=(LatencyObjective(9900, 500_000, 300, line(1)),),
        availability=None,
        accuracy=AccuracyObjective(920_000, line(1)),
        degrade=degrade,
        priority=priority,
        place=line(priority),
        preemption=NeverPreempts(line(priority)) if never else None,
    )


def policy(*services: Service, nodes: int = 2) -> Policy:
    return replace(
        POLICY,
        revision=repr((services, nodes)),
        services=services,
        models=(model("net", ("whole", 100, 950_000), ("half", 60, 900_000)),),
        sites=(Site(HALL, ("FR",), line(1)),),
        pools=(Pool(HALL, HALL, "card", nodes, 8_192, 1_000, 5_000, Purchase.OWNED, line(1)),),
        links=(),
        devices=(device("card", 1, {("net", "whole"): (60_000, 500), ("net", "half"): (30_000, 500)}),),
        compliance=(),
        cost=replace(POLICY.cost, ceilings=()),
        scaling=replace(POLICY.scaling, cooldown_s=0, step_share_permille=1000),
    )


def world(*services: Service, rates: dict[str, int], **changes: Any) -> World:
    return World(policy(*services, **changes), servers={HALL: ()}, rates=asked(rates), certified={})


def asked(rates: dict[str, int]) -> dict[tuple[str, str], int]:
    return {(name, HALL): rate for name, rate in rates.items()}


SURGE = asked({URGENT: 40_000, STEADY: 40_000})


def refused(decision: Decision) -> dict[str, int]:
    return {item.demand.split("@")[0]: item.share_permille for item in decision.plan.unserved}


def served(decision: Decision, world: World) -> dict[str, int]:
    """By service, requests a second."""
    lost = refused(decision)
    return {name: round(rate * (1000 - lost.get(name, 0)) / 1e6) for (name, _), rate in world.rates.items()}


def calm(*, never: bool, degrade: tuple[DegradeStep, ...] = ()) -> World:
    """Two services that fit."""
    services = service(URGENT, 100, never=never), service(STEADY, 10, *degrade)
    here = world(*services, rates={URGENT: 4_000, STEADY: 40_000})
    assert not here.rest().plan.unserved
    return here


def busy(*, never: bool, degrade: tuple[DegradeStep, ...] = ()) -> tuple[World, Decision]:
    """Two services that fit, and then a surge of the one with the higher priority."""
    here = calm(never=never, degrade=degrade)
    here.rates = SURGE
    return here, here.rest()


def with_its_own_model(*, never: bool, rates: dict[str, int]) -> World:
    """A service that sleeps after a minute, and needs an instance of its own to wake up, beside another."""
    sleepy = replace(
        service(URGENT, 100, never=never),
        scale_to_zero=ScaleToZero(60, 60_000_000, line(60)),
        stages=(Stage("run", "own", (), 1, 1_000, line(1)),),
    )
    here = world(sleepy, service(STEADY, 10), rates=rates)
    own = model("own", ("whole", 100, 950_000))
    times = device("card", 1, {("net", "whole"): (60_000, 500), ("own", "whole"): (60_000, 500)})
    here.policy = replace(here.policy, models=(*here.policy.models, own), devices=(times,))
    return here


def test_it_waits_where_another_one_would_have_to_give_way() -> None:
    here, decision = busy(never=True)
    assert set(refused(decision)) == {URGENT}
    assert served(decision, here)[URGENT] > 4
    preempting, surge = busy(never=False)
    assert set(refused(surge)) == {STEADY}
    assert served(surge, preempting)[URGENT] == 40


def test_nobody_is_degraded_for_it() -> None:
    lighter = (UseVariant("net", "half", line(5)),)
    _, decision = busy(never=True, degrade=lighter)
    assert decision.plan.level(STEADY) == 0
    _, surge = busy(never=False, degrade=lighter)
    assert surge.plan.level(STEADY) > 0


@pytest.mark.parametrize(("never", "degraded"), [(True, URGENT), (False, STEADY)])
def test_it_stays_degraded_where_another_one_would_have_to_be(*, never: bool, degraded: str) -> None:
    lighter = UseVariant("net", "half", line(5))
    services = service(URGENT, 100, lighter, never=never), service(STEADY, 10, lighter)
    here = world(*services, rates={URGENT: 4_000, STEADY: 40_000})
    assert not here.rest().plan.degraded
    here.rates = asked({URGENT: 20_000, STEADY: 40_000})
    here.rest()
    decision = here.turn()
    assert [item.service for item in decision.plan.degraded] == [degraded]
    assert not refused(decision)


def test_its_degrade_level_is_its_own_again_once_there_is_room() -> None:
    lighter = UseVariant("net", "half", line(5))
    services = service(URGENT, 100, lighter, never=True), service(STEADY, 10, lighter)
    here = world(*services, rates={URGENT: 4_000, STEADY: 40_000})
    here.rest()
    here.rates = asked({URGENT: 20_000, STEADY: 40_000})
    assert here.rest().plan.level(URGENT) == 1
    here.rates = asked({URGENT: 20_000, STEADY: 4_000})
    assert not here.rest().plan.degraded


def test_it_is_told_for_whom_it_waits() -> None:
    _, decision = busy(never=True)
    (told,) = (each for each in decision.findings if each.id == "GW2018")
    assert told.subject == URGENT
    assert told.message == (
        "urgent (priority 100) waits: served in full, it would take from steady (priority 10), and it does not preempt"
    )


def test_what_it_has_already_counts_by_its_own_priority() -> None:
    here, waiting = busy(never=True)
    here.rates = asked({URGENT: 40_000, STEADY: 10_000})
    here.rest()
    here.rates = asked({URGENT: 40_000, STEADY: 40_000})
    decision = here.rest()
    assert served(decision, here)[URGENT] > served(waiting, here)[URGENT]
    assert refused(decision)[STEADY] > 0


def test_a_first_plan_goes_by_priority() -> None:
    here = world(service(URGENT, 100, never=True), service(STEADY, 10), rates={URGENT: 40_000, STEADY: 40_000})
    assert set(refused(here.turn())) == {STEADY}


@pytest.mark.parametrize(("priority", "loser"), [(100, STEADY), (5, URGENT)])
def test_where_nodes_are_lost_each_counts_by_priority(priority: int, loser: str) -> None:
    services = service(URGENT, priority, never=True), service(STEADY, 10)
    here = world(*services, rates={URGENT: 16_000, STEADY: 16_000})
    here.turn()
    here.policy = policy(*services, nodes=1)
    assert set(refused(here.rest())) == {loser}


def test_it_gets_nothing_that_a_service_which_preempts_takes() -> None:
    here = world(
        service(URGENT, 100, never=True),
        service(STEADY, 10),
        service("alarm", 50),
        rates={URGENT: 4_000, STEADY: 40_000, "alarm": 1_000},
    )
    here.turn()
    here.rates = asked({URGENT: 20_000, STEADY: 40_000, "alarm": 30_000})
    decision = here.rest()
    assert served(decision, here)["alarm"] == 30
    assert served(decision, here)[URGENT] <= 4
    assert refused(decision)[STEADY] > 0


@pytest.mark.parametrize(("first", "second"), [(100, 50), (50, 100)])
def test_of_those_that_wait_the_one_of_higher_priority_comes_first(first: int, second: int) -> None:
    here = world(
        service(URGENT, first, never=True),
        service("other", second, never=True),
        service(STEADY, 10),
        rates={URGENT: 2_000, "other": 2_000, STEADY: 36_000},
    )
    here.turn()
    here.rates = asked({URGENT: 30_000, "other": 30_000, STEADY: 36_000})
    decision = here.rest()
    assert STEADY not in refused(decision)
    found = served(decision, here)
    assert (found[URGENT] > found["other"]) == (first > second)
    assert min(found[URGENT], found["other"]) == 2


def test_a_controller_that_starts_anew_knows_what_everybody_has() -> None:
    here, decision = busy(never=True)
    here.state = decode(encode(here.state), State)
    assert refused(here.turn()) == refused(decision)


@pytest.mark.parametrize("refusals", [1, 2])
def test_what_could_not_be_carried_out_gives_it_nothing(refusals: int) -> None:
    here = calm(never=True)
    here.rates = SURGE
    for _ in range(refusals):
        here.refused_turn()
    decision = here.rest()
    assert set(refused(decision)) == {URGENT}
    assert served(decision, here) == {URGENT: 12, STEADY: 40}


def test_a_first_plan_that_could_not_be_carried_out_goes_by_priority_again() -> None:
    here = world(service(URGENT, 100, never=True), service(STEADY, 10), rates={URGENT: 40_000, STEADY: 40_000})
    here.refused_turn()
    assert set(refused(here.turn())) == {STEADY}


def test_it_waits_also_when_it_ceases_to_preempt_in_the_turn_of_the_surge() -> None:
    here = calm(never=False)
    here.rates, here.policy = SURGE, policy(service(URGENT, 100, never=True), service(STEADY, 10))
    assert served(here.rest(), here) == {URGENT: 12, STEADY: 40}


@pytest.mark.parametrize(("never", "short"), [(True, URGENT), (False, STEADY)])
def test_who_is_short_at_rest_gets_back_the_routes_that_a_gateway_lost(*, never: bool, short: str) -> None:
    here, decision = busy(never=never)
    assert here.state.settled
    kept = tuple(replace(item, ways=()) if item.service == short else item for item in here.state.fleet.routes)
    here.state = replace(here.state, fleet=replace(here.state.fleet, routes=kept))
    assert served(here.turn(), here) == served(decision, here)


@pytest.mark.parametrize("never", [True, False])
def test_what_slept_has_nothing_when_it_wakes(*, never: bool) -> None:
    here = with_its_own_model(never=never, rates={URGENT: 4_000, STEADY: 20_000})
    here.turn()
    here.rates = asked({URGENT: 0, STEADY: 20_000})
    for _ in range(8):
        here.turn(10)
    assert here.state.asleep == (URGENT,)
    here.rates = asked({URGENT: 0, STEADY: 56_000})
    full = refused(here.rest())[STEADY]
    here.rates = asked({URGENT: 4_000, STEADY: 56_000})
    woken = refused(here.rest())
    assert here.state.asleep == ()
    assert (woken[STEADY] == full, URGENT in woken) == (never, never)


def test_at_rest_no_plan_is_looked_for_that_takes_something() -> None:
    here, _ = busy(never=True)
    asked_for = polished(here.policy, here.snapshot(), here.state, here.now, threading.Event())
    assert asked_for is None
    preempting = replace(here.policy, services=(service(URGENT, 100), service(STEADY, 10)))
    assert polished(preempting, here.snapshot(), here.state, here.now, threading.Event()) is not None


def test_on_a_large_fleet_it_waits_too() -> None:
    services = service(URGENT, 100, never=True), service(STEADY, 10)
    here = world(*services, rates={URGENT: 300_000, STEADY: 3_800_000}, nodes=210)
    here.turn()
    here.rates = asked({URGENT: 2_800_000, STEADY: 3_800_000})
    is_large = not is_small(build(here.policy, here.snapshot(), here.state, here.now).problem)
    assert is_large
    decision = here.turn()
    assert set(refused(decision)) == {URGENT}
    assert served(decision, here)[URGENT] > 300
