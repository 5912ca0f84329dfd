"""Evidence ends at a site whose servers, gateway or clock do not do what they should."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from controller.acting.envoy_stages import Services
from controller.actions import SetLoad, Unload
from controller.fleet import RouteSet, Seat, Way
from controller.sites.agent import doing
from controller.sites.agent.agent import AGAIN_S, LOOK_S, Agent
from controller.sites.site_plan import SiteLoad, SiteRoute
from rules.kernel.problem import Placement
from tests.sites.agent_world import FIND, READ, START, routes, site_load, site_plan
from tests.sites.faked_time import in_faked_time
from tests.sites.partitioned import SimulatedHub, SimulatedServers, agent_of, now

HANGS_S = 60.0


@dataclass
class Hanging(SimulatedServers):
    """Servers that take a minute for these seats, and gateways that do for routes once they hang."""

    slow: frozenset[Seat] = frozenset()
    routes_hang: bool = False
    ever: set[Seat] = field(default_factory=set)
    followed: set[Placement] = field(default_factory=set)

    async def have(self, action: SetLoad | Unload) -> None:
        seat = action.load.seat if isinstance(action, SetLoad) else action.seat
        if seat in self.slow:
            await asyncio.sleep(HANGS_S)
        await super().have(action)
        self.ever |= self.loads.keys()

    async def follow(self, routes: tuple[RouteSet, ...], services: Services) -> None:
        if self.routes_hang:
            await asyncio.sleep(HANGS_S)
        await super().follow(routes, services)
        self.followed |= {p for item in routes for way in item.ways for p in way.placements}


def ending(seat: Seat, in_s: float) -> SiteLoad:
    return site_load(*seat, until=START + timedelta(seconds=in_s))


def at_work(
    folder: Path,
    site: SimulatedServers,
    hub: SimulatedHub,
    meanwhile: Callable[[Agent], Awaitable[None]],
    clock: Callable[[], datetime] = now,
) -> None:
    async def work() -> None:
        agent = agent_of(site, hub, folder, clock)
        running = asyncio.create_task(agent.run())
        await meanwhile(agent)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    in_faked_time(work())


async def until_s(at_s: float) -> None:
    await asyncio.sleep(at_s - asyncio.get_running_loop().time())


FIRST, SECOND = (READ, "edge-0"), (READ, "edge-1")


@pytest.mark.parametrize("routes_hang", [False, True])
def test_what_ends_waits_for_no_other_server_and_no_gateway_that_hangs(tmp_path: Path, *, routes_hang: bool) -> None:
    site, hub = Hanging(), SimulatedHub()
    hub.plan_in_force = site_plan(1, (ending(FIRST, 300), ending(SECOND, 310)))

    async def meanwhile(_: Agent) -> None:
        await until_s(200)
        assert site.loads.keys() == {FIRST, SECOND}
        site.slow, site.routes_hang = frozenset(() if routes_hang else (FIRST,)), routes_hang
        await until_s(310)
        assert SECOND not in site.loads

    at_work(tmp_path, site, hub, meanwhile)


def test_what_ends_is_unloaded_from_a_server_that_does_not_tell_what_it_holds(tmp_path: Path) -> None:
    site, hub = SimulatedServers(), SimulatedHub()
    hub.plan_in_force = site_plan(1, (ending(FIRST, 300), site_load(*SECOND)))

    async def meanwhile(agent: Agent) -> None:
        await until_s(200)
        site.mute = frozenset([("edge", "edge-0")])
        await until_s(300)
        assert site.loads.keys() == {SECOND}
        hub.plan_in_force = site_plan(2, (site_load(*SECOND),))
        await until_s(400)
        assert (agent.state.applied, agent.state.refused) == (2, None)

    at_work(tmp_path, site, hub, meanwhile)


def test_a_clock_that_is_set_back_keeps_nothing_loaded(tmp_path: Path) -> None:
    site, hub = SimulatedServers(), SimulatedHub()
    hub.plan_in_force = site_plan(1, (ending(FIRST, 600), site_load(*SECOND)))
    back = timedelta(0)

    def clock() -> datetime:
        return now() - back

    async def meanwhile(agent: Agent) -> None:
        nonlocal back
        await until_s(100)
        hub.is_cut, back = True, timedelta(days=365)
        await until_s(580)
        assert FIRST in site.loads
        await until_s(600)
        assert FIRST not in site.loads
        back = timedelta(hours=1)
        hub.is_cut, hub.plan_in_force = False, site_plan(2, (site_load(*SECOND),), issued_at=now())
        await until_s(700)
        # the plan tells the true time of 600 s, and its taking up waits for the next call
        assert now() - agent.state.latest <= timedelta(seconds=AGAIN_S[1] + LOOK_S)

    at_work(tmp_path, site, hub, meanwhile, clock)


def test_what_waits_its_turn_is_not_loaded_once_a_newer_plan_has_it_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doing, "AT_ONCE", 1)
    last = (READ, "edge-0")
    site, hub = Hanging(slow=frozenset([(FIND, "edge-0")])), SimulatedHub()
    hub.plan_in_force = site_plan(1, (site_load(FIND, "edge-0"), ending(last, 3600)))

    async def meanwhile(agent: Agent) -> None:
        await until_s(20)
        hub.plan_in_force = site_plan(2, (site_load(FIND, "edge-0"),))
        await until_s(200)
        assert agent.state.generation == 2
        assert site.ever == {(FIND, "edge-0")}

    at_work(tmp_path, site, hub, meanwhile)


def test_what_waits_its_turn_is_not_loaded_once_its_evidence_ends_soon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doing, "AT_ONCE", 1)
    site, hub = Hanging(slow=frozenset([(FIND, "edge-0")])), SimulatedHub()
    hub.plan_in_force = site_plan(1, (site_load(FIND, "edge-0"), ending((READ, "edge-0"), 120)))

    async def meanwhile(_: Agent) -> None:
        await until_s(200)
        assert site.ever == {(FIND, "edge-0")}

    at_work(tmp_path, site, hub, meanwhile)


@pytest.mark.parametrize("hangs_at_unload", [False, True])
def test_requests_leave_what_is_barred_from_now_on_whatever_hangs(tmp_path: Path, *, hangs_at_unload: bool) -> None:
    """Evidence was revoked, of which no plan has told an end: the newer plan just has the way no more."""
    site, hub = Hanging(), SimulatedHub()
    found = site_load(FIND, "edge-1")
    over_both = SiteRoute(routes((500, FIND), (500, READ)))
    hub.plan_in_force = site_plan(1, (site_load(*FIRST), found), routes=(over_both,))

    async def meanwhile(_: Agent) -> None:
        await until_s(100)
        assert site.routed["receipts", "edge"].ways == over_both.routes.ways
        hung = (FIND, "edge-0")
        if hangs_at_unload:
            site.loads[hung] = site_load(*hung).load
        loads = (site_load(*FIRST), found, *(() if hangs_at_unload else (site_load(*hung),)))
        site.slow = frozenset([hung])
        hub.plan_in_force = site_plan(2, loads, routes=(over_both,))
        await until_s(110)
        hub.plan_in_force = site_plan(3, loads, routes=(SiteRoute(routes((1000, READ))),))
        await until_s(115)
        assert site.routed["receipts", "edge"].ways == (Way(1000, (READ,)),)

    at_work(tmp_path, site, hub, meanwhile)


def test_requests_leave_what_is_barred_at_once_though_one_plan_follows_the_other(tmp_path: Path) -> None:
    """Each newer plan gives up the routes that are being set, as it may bar them."""
    site, hub = Slow(), SimulatedHub()
    loads = (site_load(*FIRST), site_load(FIND, "edge-1"))
    hub.plan_in_force = site_plan(1, loads, routes=(SiteRoute(routes((1000, READ))),))

    async def meanwhile(_: Agent) -> None:
        await until_s(100)
        barring = SiteRoute(routes((1000, FIND)))
        hub.plan_in_force = site_plan(2, loads, routes=(barring,))
        while site.asked_s <= 100:  # noqa: ASYNC110 -- by a faked clock
            await asyncio.sleep(0.01)
        hub.plan_in_force = site_plan(3, (*loads, site_load(*SECOND)), routes=(barring,))
        await asyncio.sleep(2.5)
        assert site.routed["receipts", "edge"].ways == barring.routes.ways

    at_work(tmp_path, site, hub, meanwhile)


@dataclass
class Slow(SimulatedServers):
    """A gateway that takes most of a second, and when it was asked last."""

    asked_s: float = 0.0

    async def follow(self, routes: tuple[RouteSet, ...], services: Services) -> None:
        self.asked_s = asyncio.get_running_loop().time()
        await asyncio.sleep(0.8)
        await super().follow(routes, services)


def test_what_is_withdrawn_and_hangs_keeps_nothing_from_being_loaded(tmp_path: Path) -> None:
    site, hub = Hanging(), SimulatedHub()
    hub.plan_in_force = site_plan(1, (ending(FIRST, 300), site_load(*SECOND)))

    async def meanwhile(_: Agent) -> None:
        await until_s(200)
        site.slow = frozenset([FIRST])
        await until_s(285)
        other = (FIND, "edge-1")
        hub.plan_in_force = site_plan(2, (ending(FIRST, 300), site_load(*SECOND), site_load(*other)))
        await until_s(300)
        assert other in site.loads

    at_work(tmp_path, site, hub, meanwhile)


def test_a_plan_is_told_as_taken_up_once_nothing_is_under_way_against_it(tmp_path: Path) -> None:
    site, hub = Hanging(), SimulatedHub()
    hub.plan_in_force = site_plan(1, (site_load(*FIRST), site_load(*SECOND)))

    async def meanwhile(_: Agent) -> None:
        await until_s(100)
        assert (hub.reports[-1].generation, hub.reports[-1].taken_up) == (1, 1)
        hung = (FIND, "edge-0")
        site.slow = frozenset([hung])
        hub.plan_in_force = site_plan(2, (site_load(*FIRST), site_load(*SECOND), site_load(*hung)))
        await until_s(110)
        assert (hub.reports[-1].generation, hub.reports[-1].taken_up) == (1, 2)
        hub.plan_in_force = site_plan(3, (site_load(*FIRST), site_load(*SECOND)))
        await until_s(150)
        assert (hub.reports[-1].generation, hub.reports[-1].taken_up) == (1, 2), "it may still come, planned no more"
        await until_s(240)
        assert (hub.reports[-1].generation, hub.reports[-1].taken_up) == (3, 3)

    at_work(tmp_path, site, hub, meanwhile)


def test_routes_that_are_still_being_set_bring_back_nothing_that_has_left(tmp_path: Path) -> None:
    site, hub = Hanging(), SimulatedHub()
    loads = (site_load(*FIRST), site_load(FIND, "edge-1"))
    hub.plan_in_force = site_plan(1, loads, routes=(SiteRoute(routes((1000, READ))),))

    async def meanwhile(_: Agent) -> None:
        await until_s(100)
        site.routes_hang = True
        hub.plan_in_force = site_plan(2, loads, routes=(SiteRoute(routes((500, READ), (500, FIND))),))
        await until_s(110)
        site.routes_hang = False
        hub.plan_in_force = site_plan(3, loads, routes=(SiteRoute(routes((400, READ))),))
        await until_s(200)
        assert site.followed == {READ}

    at_work(tmp_path, site, hub, meanwhile)
