"""What an agent does while something is on its way: neither there nor gone, and perhaps no longer meant."""

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from collectors.snapshot import LoadedModel, ModelState, Reading, Server, ServerState, Snapshot
from controller.acting.actuator import HangError
from controller.actions import SetLoad, SetRoutes, Unload
from controller.fleet import Parts
from controller.sites.agent.agent import Agent
from controller.sites.agent.intent import LEAD
from controller.sites.agent.looking import standing_of
from controller.sites.agent.machine import AGAIN_URGENT, step
from controller.sites.agent.state import AgentState, Failed, Heard, Looked
from controller.sites.site_plan import Envelope, SiteRoute
from tests.sites.agent_steps import after, begun, brought_about, under_way
from tests.sites.agent_world import (
    AWAY,
    FIND,
    HALVES,
    HERE,
    LOADS,
    READ,
    SITE,
    START,
    Servers,
    routes,
    site_load,
    site_plan,
)
from tests.sites.partitioned import SimulatedHub
from tests.sites.test_agent_withdrawing import FIRST, Hanging, at_work, until_s

END = START + timedelta(minutes=10)
FOUND = site_load(FIND, "edge-0", memory_mib=1_600)


@pytest.fixture
def servers() -> Servers:
    return Servers()


@pytest.fixture
def settled(servers: Servers) -> AgentState:
    """The first plan was brought about."""
    return brought_about(site_plan(), servers)


def test_no_request_goes_to_what_is_still_being_unloaded(servers: Servers) -> None:
    whole = SiteRoute(routes((1000, READ), parts=[Parts(READ, (("edge-0", 1),))]))
    state = brought_about(site_plan(1, LOADS[:1], routes=(whole,)), servers)
    servers.loads[LOADS[1].load.seat] = LOADS[1].load
    state = after(state, Heard(site_plan(2)), START)
    assert begun(state, servers, Unload(READ, "edge-1")) == ("", ()), "its server still shows it"
    assert begun(state, servers)[0] == "route"


def test_a_plan_is_not_told_as_brought_about_while_a_load_of_it_is_being_unloaded(
    servers: Servers, settled: AgentState
) -> None:
    elsewhere = site_plan(2, routes=(SiteRoute(routes()),))
    servers.routes["receipts", "edge"] = routes()
    state = after(settled, Heard(elsewhere), START)
    assert step(SITE, state, under_way(servers, Unload(READ, "edge-1")), START)[0].applied == 1
    more = SetLoad(replace(LOADS[0].load, instances=2))
    assert step(SITE, state, under_way(servers, more), START)[0].applied == 1, "an older plan has it so"
    assert step(SITE, state, Looked(servers.standing()), START)[0].applied == 2


def test_what_a_server_is_still_unloading_takes_room(servers: Servers, settled: AgentState) -> None:
    big = site_load(READ, "edge-0", 3)
    state = brought_about(site_plan(2, (big, LOADS[1])), servers, settled)
    state = after(state, Heard(site_plan(3, (FOUND, LOADS[1]))), START)
    del servers.loads[big.load.seat]
    servers.moving[big.load.seat] = big.load
    assert begun(state, servers, Unload(*big.load.seat))[0] == "route"
    assert begun(state, servers)[0] == "route", "nobody waits for it any more, and it hangs"
    servers.moving.clear()
    assert begun(state, servers) == ("grow", (SetLoad(FOUND.load),))


def test_what_was_begun_takes_its_room_though_a_newer_plan_has_less_of_it(servers: Servers) -> None:
    big = site_load(READ, "edge-0", 3)
    state = brought_about(site_plan(1, (big, LOADS[1])), servers)
    servers.routes.clear()
    state = after(state, Heard(site_plan(2, LOADS[1:], routes=())), START)
    state, wave = step(SITE, state, Looked(servers.standing()), START)
    assert wave is not None
    assert wave.actions == (Unload(READ, "edge-0"),)
    servers.begin(wave.actions[0])
    less, other = site_load(READ, "edge-0", envelope=Envelope(1, 1)), replace(FOUND, memory_mib=1_700)
    state = after(state, Heard(site_plan(3, (less, LOADS[1], other), routes=())), START)
    for under in (wave.actions, ()):
        assert SetLoad(other.load) not in begun(state, servers, *under)[1], "three times 800 MiB are still there"
    servers.moving.clear()
    assert begun(state, servers)[0] == "grow"


def test_what_is_being_loaded_is_loaded_on_after_a_start(servers: Servers, settled: AgentState) -> None:
    """An agent that was killed had begun it: the server tells that it loads, and not what."""
    state = after(settled, Heard(site_plan(2, (*LOADS, FOUND))), START)
    servers.moving[FOUND.load.seat] = FOUND.load
    assert begun(state, servers) == ("grow", (SetLoad(FOUND.load),))


def test_what_is_being_loaded_is_not_loaded_on_where_it_does_not_fit_whole(servers: Servers) -> None:
    """How much was begun is not told, and a part that is asked for besides would count for all of it."""
    big = replace(FOUND, load=replace(FOUND.load, instances=2), memory_mib=1_500)
    state = brought_about(site_plan(1, (big,)), servers)
    more = site_load(READ, "edge-0", 2)
    state = after(state, Heard(site_plan(2, (replace(FOUND, memory_mib=1_500), more))), START)
    servers.moving[more.load.seat] = more.load
    assert begun(state, servers) == ("shrink", (SetLoad(replace(FOUND, memory_mib=1_500).load),))
    servers.loads[FOUND.load.seat] = FOUND.load
    assert begun(state, servers) == ("grow", (SetLoad(more.load),))


def test_what_is_protected_is_unloaded_though_it_is_still_being_loaded(servers: Servers, settled: AgentState) -> None:
    state = after(settled, Heard(site_plan(2, (*LOADS, replace(FOUND, until=START + timedelta(days=1))))), START)
    servers.moving[FOUND.load.seat] = FOUND.load
    state = after(state, Heard(site_plan(3)), START)
    assert begun(state, servers) == ("withdraw", (Unload(*FOUND.load.seat),))


def test_what_a_server_loads_or_unloads_is_neither_there_nor_gone() -> None:
    held = ServerState((LoadedModel("read", "int8", ModelState.LOADING, 0, 0, 0),))
    found = standing_of(Snapshot(START, servers=(Server("edge", Reading(held, START, ""), "edge-0"),)), START)
    assert (dict(found.loads), found.moving) == ({}, frozenset([(READ, "edge-0")]))


def test_requests_that_leave_what_ended_go_where_they_may_and_stay(servers: Servers) -> None:
    """The other site's evidence ends, and the fallback needs none."""
    away = SiteRoute(routes((500, READ), (500, AWAY), parts=HALVES), END)
    state = brought_about(site_plan(1, routes=(away,), fallbacks=(HERE,)), servers)
    now = END - LEAD
    name, actions = begun(state, servers, now=now)
    assert (name, actions) == ("withdraw", (SetRoutes((HERE.routes,)),))
    servers.routes["receipts", "edge"] = HERE.routes
    assert begun(state, servers, now=now) == ("", ())


def test_requests_leave_a_fallback_that_ends_though_more_is_being_loaded_for_them(servers: Servers) -> None:
    on = SiteRoute(routes((1000, FIND), parts=[Parts(FIND, (("edge-1", 1),))]), END)
    away = SiteRoute(routes((1000, AWAY)))
    loads = (*LOADS, site_load(FIND, "edge-1", until=END + timedelta(hours=1)))
    state = brought_about(site_plan(1, loads, routes=(away,), fallbacks=(on,)), servers)
    servers.routes["receipts", "edge"] = on.routes
    loading = SetLoad(site_load(FIND, "edge-1", 2).load)
    assert begun(state, servers, loading, now=END - LEAD) == ("withdraw", (SetRoutes((away.routes,)),))


def test_requests_leave_what_they_must_where_the_gateway_refuses_what_takes_over(
    servers: Servers, settled: AgentState
) -> None:
    away = SiteRoute(routes((1000, AWAY)))
    state = after(settled, Heard(site_plan(2, routes=(away,))), START)
    assert begun(state, servers) == ("withdraw", (SetRoutes((away.routes,)),))
    state = after(state, Failed("it has no cluster for that", urgent=True), START)
    now = START + AGAIN_URGENT
    assert begun(state, servers, now=now) == ("withdraw", (SetRoutes((routes(),)),))
    servers.routes["receipts", "edge"] = routes()
    assert begun(state, servers, now=now) == ("route", (SetRoutes((away.routes,)),))


@dataclass
class InTwoCalls(Hanging):
    """Servers that are asked twice for a load: for its configuration, and to have another."""

    async def have(self, action: SetLoad | Unload) -> None:
        if isinstance(action, SetLoad) and action.load.seat not in self.loads:
            self.loads[action.load.seat] = replace(action.load, max_batch=1)
        await super().have(action)


def test_what_is_withdrawn_is_not_brought_back_by_its_load_that_is_under_way(tmp_path: Path) -> None:
    site, hub = InTwoCalls(), SimulatedHub()
    protected = site_load(FIND, "edge-0", until=START + timedelta(days=1))
    hub.plan_in_force = site_plan(1, (site_load(*FIRST), protected))

    async def meanwhile(_: Agent) -> None:
        await until_s(2)
        assert protected.load.seat in site.loads, "for its configuration"
        hub.plan_in_force = site_plan(2, (site_load(*FIRST),))
        await until_s(5)
        for _ in range(40):
            assert protected.load.seat not in site.loads
            await asyncio.sleep(0.5)

    at_work(tmp_path, site, hub, meanwhile)


class Told(Hanging):
    """Servers of which the actuator tells that they hang."""

    async def have(self, action: SetLoad | Unload) -> None:
        await super().have(action)
        if isinstance(action, SetLoad) and action.load.seat in self.slow:
            del self.loads[action.load.seat]
            raise HangError("it hangs", action.load.seat)


def test_what_hangs_is_told_and_left_alone_though_a_newer_plan_came_meanwhile(tmp_path: Path) -> None:
    """The controller asks for each load of a wave by a plan of its own."""
    hangs = (FIND, "edge-0")
    site, hub = Told(slow=frozenset([hangs])), SimulatedHub()
    hub.plan_in_force = site_plan(1, (site_load(*FIRST), site_load(*hangs)))

    async def meanwhile(agent: Agent) -> None:
        await until_s(10)
        hub.plan_in_force = site_plan(2, (*LOADS, site_load(*hangs)))
        await until_s(75)
        refused = agent.state.refused
        assert refused is not None
        assert (refused.generation, refused.hung) == (2, hangs)
        assert [each.seat for each in agent.state.failures] == [hangs]

    at_work(tmp_path, site, hub, meanwhile)
