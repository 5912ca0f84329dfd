"""What an agent begins beside what is under way: an action waits for what it depends on, and for nothing else."""

from dataclasses import replace
from datetime import timedelta

import pytest

from controller.actions import SetLoad, SetRoutes, Unload
from controller.fleet import Parts
from controller.sites.agent.intent import AWAY_AFTER, LEAD
from controller.sites.agent.machine import step
from controller.sites.agent.state import AgentState, Failed, Heard, Looked, Remote
from controller.sites.report import Phase, Refused
from controller.sites.site_plan import SiteLoad, SiteRoute
from rules.kernel.problem import Placement
from tests.sites.agent_steps import after, begun, brought_about, under_way
from tests.sites.agent_world import (
    AWAY,
    ELSEWHERE,
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

SOON = START + timedelta(minutes=10)
MOVED = SiteRoute(routes((1000, FIND), parts=[Parts(FIND, (("edge-1", 1),))]))


@pytest.fixture
def servers() -> Servers:
    return Servers()


@pytest.fixture
def settled(servers: Servers) -> AgentState:
    """The first plan was brought about."""
    return brought_about(site_plan(), servers)


def test_ways_that_a_newer_plan_does_not_have_are_left_before_anything_is_loaded(
    servers: Servers, settled: AgentState
) -> None:
    newer = site_plan(2, (*LOADS, site_load(FIND, "edge-1")), routes=(MOVED,))
    name, actions = begun(after(settled, Heard(newer), START), servers)
    assert (name, actions) == ("withdraw", (SetRoutes((routes(),)),))


def test_what_requests_leave_waits_for_no_load_of_what_they_are_to_go_over(
    servers: Servers, settled: AgentState
) -> None:
    newer = site_plan(2, (*LOADS, site_load(FIND, "edge-1")), routes=(MOVED,))
    name, actions = begun(after(settled, Heard(newer), START), servers, SetLoad(site_load(FIND, "edge-1").load))
    assert (name, actions) == ("withdraw", (SetRoutes((routes(),)),))


def test_what_hangs_as_it_is_unloaded_holds_up_neither_loads_nor_routes(servers: Servers, settled: AgentState) -> None:
    both = SiteRoute(routes((500, READ), (500, FIND), parts=HALVES))
    newer = site_plan(2, (LOADS[0], site_load(FIND, "edge-0")), routes=(both,))
    state, hangs = after(settled, Heard(newer), START), Unload(READ, "edge-1")
    name, actions = begun(state, servers, hangs)
    assert (name, actions) == ("grow", (SetLoad(site_load(FIND, "edge-0").load),))
    servers.loads[FIND, "edge-0"] = site_load(FIND, "edge-0").load
    assert begun(state, servers, hangs)[0] == "route"


def test_requests_wait_for_what_is_being_loaded_for_them_and_for_nothing_else(
    servers: Servers, settled: AgentState
) -> None:
    both = SiteRoute(routes((500, READ), (500, FIND), parts=[*HALVES, Parts(FIND, (("edge-1", 1),))]))
    newer = site_plan(2, (*LOADS, site_load(FIND, "edge-0"), site_load(FIND, "edge-1")), routes=(both,))
    state = after(settled, Heard(newer), START)
    servers.loads[FIND, "edge-1"] = site_load(FIND, "edge-1").load
    assert begun(state, servers, SetLoad(site_load(FIND, "edge-0").load)) == ("", ())
    other = SetLoad(replace(site_load(FIND, "edge-0").load, placement=Placement("else", "fp16", "edge")))
    state = after(state, Failed("it hangs", (FIND, "edge-0")), START)
    assert begun(state, servers, other)[0] == "route"


def test_requests_leave_what_was_lost_though_more_of_it_is_being_loaded(servers: Servers, settled: AgentState) -> None:
    servers.kill(("edge", "edge-1"))
    name, actions = begun(settled, servers, SetLoad(replace(LOADS[0].load, instances=2)))
    assert (name, len(actions)) == ("route", 1)


def test_requests_leave_a_site_that_is_silent_though_more_of_what_stands_in_is_being_loaded(servers: Servers) -> None:
    state = brought_about(site_plan(routes=(ELSEWHERE,), fallbacks=(HERE,)), servers)
    state = replace(state, phase=Phase.CUT_OFF, remotes=(Remote(AWAY.pool, START),))
    looked = under_way(servers, SetLoad(replace(LOADS[0].load, instances=2)))
    wave = step(SITE, state, replace(looked, remote_silent=frozenset({AWAY.pool})), START + AWAY_AFTER)[1]
    assert wave is not None
    assert wave.actions == (SetRoutes((HERE.routes,)),)


def test_fewer_instances_are_not_had_while_requests_wait_to_leave(servers: Servers) -> None:
    state = brought_about(site_plan(1, (site_load(READ, "edge-0", 3),)), servers)
    both = SiteRoute(routes((500, READ), (500, FIND)))
    newer = after(state, Heard(site_plan(2, (LOADS[0], site_load(FIND, "edge-1")), routes=(both,))), START)
    assert begun(newer, servers, SetLoad(site_load(FIND, "edge-1").load)) == ("", ())


def test_nothing_is_unloaded_while_routes_are_being_set_that_may_still_go_over_it(
    servers: Servers, settled: AgentState
) -> None:
    servers.loads[FIND, "edge-0"] = site_load(FIND, "edge-0").load
    assert begun(settled, servers, SetRoutes((MOVED.routes,))) == ("", ())
    assert begun(settled, servers) == ("shrink", (Unload(FIND, "edge-0"),))


def test_what_is_being_loaded_takes_room(servers: Servers, settled: AgentState) -> None:
    big = site_load(FIND, "edge-0", memory_mib=1_600)
    state = after(settled, Heard(site_plan(2, (replace_load(LOADS[0], 3), LOADS[1], big))), START)
    first = SetLoad(replace(LOADS[0].load, instances=3))
    assert begun(state, servers, first) == ("grow", (SetLoad(big.load),))
    state = after(settled, Heard(site_plan(2, (LOADS[0], LOADS[1], big))), START)
    former = SetLoad(replace(LOADS[0].load, instances=4))
    assert begun(state, servers, former) == ("", ()), "an older plan has it loaded"


def test_of_which_seats_a_plan_could_not_be_brought_about_is_told(settled: AgentState) -> None:
    state = after(settled, Failed("it hangs", (FIND, "edge-0"), hung=True), START)
    state = after(after(state, Failed("no gateway"), START), Failed("it hangs", (FIND, "edge-0"), hung=True), START)
    assert state.refused == Refused(1, "it hangs", (FIND, "edge-0"), (None, (FIND, "edge-0")))
    assert not state.refused.is_of((READ, "edge-0"))
    anew = after(after(state, Heard(site_plan(2)), START), Failed("no such model", (READ, "edge-0")), START)
    assert anew.refused == Refused(2, "no such model", None, ((READ, "edge-0"),))


def replace_load(item: SiteLoad, instances: int) -> SiteLoad:
    return replace(item, load=replace(item.load, instances=instances))


def test_a_plan_is_not_told_as_brought_about_while_its_routes_are_still_being_set(
    servers: Servers, settled: AgentState
) -> None:
    less = SiteRoute(routes((500, READ), parts=HALVES))
    state = after(settled, Heard(site_plan(2, routes=(less,))), START)
    state, wave = step(SITE, state, under_way(servers, SetRoutes((less.routes,))), START)
    assert (wave, state.applied) == (None, 1)
    servers.routes["receipts", "edge"] = less.routes
    assert step(SITE, state, Looked(servers.standing()), START)[0].applied == 2


@pytest.mark.parametrize("seat", [None, (READ, "edge-0")])
def test_what_could_not_be_set_just_now_is_withdrawn_in_time_all_the_same(
    servers: Servers, seat: tuple[Placement, str] | None
) -> None:
    ends = (site_load(READ, "edge-0", until=SOON), LOADS[1])
    plan = site_plan(1, ends, routes=(SiteRoute(HERE.routes, SOON),))
    state = brought_about(plan, servers)
    state = after(state, Failed("it hangs", seat), SOON - LEAD - timedelta(seconds=1))
    name, actions = begun(state, servers, now=SOON - LEAD)
    assert (name, actions) == ("withdraw", (SetRoutes((routes(),)), Unload(READ, "edge-0")))
    state = after(state, Failed("it hangs", seat, urgent=True), SOON - LEAD)
    assert len(begun(state, servers, now=SOON - LEAD)[1]) == 1, "it was tried just now"
