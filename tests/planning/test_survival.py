"""Services that survive any site, in whole decisions: each site is taken away, and what stands serves what it did."""

from copy import deepcopy
from dataclasses import replace

import pytest
from world import AVAILABILITY_LINE, CALM, FRANKFURT, LYON, OCR, PARIS, POLICY, VAD, World, line

from controller.actions import SetRoutes
from controller.decision import Decision, State
from controller.fleet import Fleet, RouteSet
from controller.planning.build import Built, build
from controller.planning.running import running_plan
from controller.planning.transitions.withdraw import withdraw
from controller.planning.verify import verify
from policy.resolved import AvailabilityObjective, Policy
from rules.kernel.plan import Plan

SURVIVES = AvailabilityObjective(1, 1, line(AVAILABILITY_LINE), survives_any_site=True)
BUSY = {**CALM, (VAD, PARIS): 90_000, (VAD, LYON): 60_000}


def surviving(*names: str) -> Policy:
    """The policy with these services surviving any site, and no other objective of availability."""
    services = (replace(each, availability=SURVIVES if each.name in names else None) for each in POLICY.services)
    return replace(POLICY, revision=f"surviving {names}", services=tuple(services))


def rested(*names: str) -> World:
    world = World(surviving(*names), rates=dict(BUSY))
    world.rest(12)
    return world


def without(world: World, site: str) -> World:
    lost = deepcopy(world)
    lost.servers[site] = None
    return lost


def taken_over(world: World, state: State) -> tuple[Built, Plan]:
    """What is left of the plan that ran, with routes where there is room, before anything is planned."""
    built = build(world.policy, world.snapshot(), state, world.now)
    running = running_plan(built.whole, built.loaded, state)
    return built, withdraw(running, built.whole, Fleet((), state.fleet.routes))


def carried(routes: tuple[RouteSet, ...], service: str) -> dict[str, int]:
    return {each.origin: sum(way.weight_permille for way in each.ways) for each in routes if each.service == service}


def sites_of(decision: Decision, model: str) -> set[str]:
    return {load.placement.pool for load in decision.fleet.loads if load.placement.model == model}


def test_what_survives_stands_at_two_sites_where_one_is_enough() -> None:
    calm = {**CALM, (VAD, PARIS): 1_000, (VAD, LYON): 1_000}
    alone, survives = (World(surviving(*names), rates=dict(calm)).rest(12) for names in ((), (VAD,)))
    assert len(sites_of(survives, "vad")) > len(sites_of(alone, "vad"))
    assert not {finding.id for finding in survives.findings} & {"GW2010", "GW2012"}


@pytest.mark.parametrize("site", [PARIS, LYON, FRANKFURT])
@pytest.mark.parametrize("names", [(VAD,), (OCR, VAD)])
def test_with_any_site_lost_what_stands_keeps_every_rule(names: tuple[str, ...], site: str) -> None:
    world = rested(*names)
    lost = without(world, site)
    built, plan = taken_over(lost, world.state)
    nothing = replace(built.problem, policy=surviving(), floors=())
    mine = {path.id for path in nothing.paths if nothing.demand(path.demand).service in names}
    refused = {item.demand for item in plan.unserved if nothing.demand(item.demand).service in names}
    assert not refused
    assert {
        route.path for route in plan.routes if built.whole.demand(built.whole.path(route.path).demand).service in names
    } <= mine
    others = {demand.id for demand in nothing.demands if demand.service not in names}
    broken = [item for item in verify(plan, nothing) if item.subject not in others]
    assert broken == []


@pytest.mark.parametrize("site", [PARIS, LYON, FRANKFURT])
def test_the_first_wave_after_a_loss_serves_everything_and_starts_nothing(site: str) -> None:
    world = rested(OCR, VAD)
    decision = without(world, site).turn()
    first = decision.transition.waves[0] if decision.transition.waves else None
    routes = world.state.fleet.routes
    if first is not None and first.name == "withdraw":
        (action,) = first.actions
        assert isinstance(action, SetRoutes)
        routes = action.routes
    for service in (OCR, VAD):
        assert set(carried(routes, service).values()) == {1000}
    assert not any(placement.pool == site for each in routes for way in each.ways for placement in way.placements)


def test_without_being_asked_requests_wait_for_what_is_loaded() -> None:
    world = rested()
    served = []
    for site in (PARIS, LYON, FRANKFURT):
        _, plan = taken_over(without(world, site), world.state)
        served.append(sum(item.share_permille for item in plan.unserved))
    assert max(served) > 0


def test_a_service_that_no_second_site_may_serve_goes_to_best_effort_and_says_why() -> None:
    world = World(surviving(OCR), rates=dict(CALM))
    del world.certified[FRANKFURT]
    decision = world.rest(12)
    assert any(finding.id == "GW2010" and finding.subject == OCR for finding in decision.findings)
    told = [f"{finding.message} {finding.hint}" for finding in decision.findings if finding.id == "GW2011"]
    assert any(f":{AVAILABILITY_LINE}" in message for message in told), told
    assert {item.served_permille for item in decision.forecasts if item.service == OCR} == {1000}
