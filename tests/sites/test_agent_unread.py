"""What was begun on a server takes its room until the server was read since: also a resize, which no server tells."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from controller.actions import Action, SetLoad, SetRoutes, Unload
from controller.sites.agent.agent import Agent
from controller.sites.agent.intent import LEAD, LOADING
from controller.sites.agent.keeping import keep_state, kept_state
from controller.sites.agent.machine import step
from controller.sites.agent.state import AgentState, Answered, Failed, Heard, Looked
from controller.sites.site_plan import SitePlan
from tests.sites.agent_steps import after, brought_about
from tests.sites.agent_world import FIND, LOADS, NODES, READ, SITE, START, Servers, site_load, site_plan
from tests.sites.partitioned import SimulatedHub, SimulatedServers, now
from tests.sites.test_agent_withdrawing import at_work, until_s

SEAT = READ, "edge-0"
MORE, ONE = site_load(READ, "edge-0", 4), LOADS[0]
FOUND = site_load(FIND, "edge-0", memory_mib=1_600)
RESIZED = site_plan(2, (MORE, LOADS[1]))
BESIDE = site_plan(3, (*LOADS, FOUND))
LATER = START + timedelta(seconds=30)


@pytest.fixture
def servers() -> Servers:
    return Servers()


def told(state: AgentState, servers: Servers, at: int = 30, read: int | None = None) -> tuple[AgentState, set[Action]]:
    """What the agent knows and begins after so many seconds, by servers that were read then or before."""
    read_at = dict.fromkeys((("edge", node) for node in NODES), START + timedelta(seconds=at if read is None else read))
    now = START + timedelta(seconds=at)
    state, wave = step(SITE, state, Looked(replace(servers.standing(), read_at=read_at)), now)
    return state, set(wave.actions) if wave else set()


def resizing(servers: Servers, plan: SitePlan = RESIZED) -> AgentState:
    """One instance stands, four were asked for, and the server has not answered."""
    state, begun = told(after(brought_about(site_plan(), servers), Heard(plan), START), servers, 0)
    assert begun == {SetLoad(MORE.load)}
    return state


def hung(state: AgentState) -> AgentState:
    return after(state, Failed("not as wanted", SEAT, hung=True), START)


def test_a_resize_that_hangs_takes_the_room_of_all_that_was_asked_for(servers: Servers) -> None:
    state, begun = told(after(hung(resizing(servers)), Heard(BESIDE), START), servers)
    assert SetLoad(FOUND.load) not in begun, "four times 800 MiB may be there"
    assert begun == {SetLoad(ONE.load, anew=True)}, "what the server shows is not what may come of it"
    state = after(state, Answered(SEAT), LATER)
    assert told(state, servers)[1] == {SetLoad(FOUND.load)}


def test_a_resize_amid_which_the_agent_was_killed_takes_its_room(servers: Servers, tmp_path: Path) -> None:
    keep_state(tmp_path, resizing(servers))
    state = kept_state(tmp_path, "edge")
    assert state is not None
    assert SetLoad(FOUND.load) not in told(after(state, Heard(BESIDE), START), servers)[1]


def test_what_became_of_it_is_read_once_the_server_shows_it(servers: Servers) -> None:
    state = hung(resizing(servers))
    servers.loads[SEAT] = MORE.load
    state, begun = told(state, servers)
    assert not [each for each in begun if not isinstance(each, SetRoutes)]
    assert state.unread == ()


def test_what_it_showed_before_does_not_tell_what_became_of_it(servers: Servers) -> None:
    """Asked for again, the number before is shown all the while: only an answer tells that it is so by then."""
    state = hung(resizing(servers))
    state, _ = told(after(state, Heard(BESIDE), START), servers)
    state = after(state, Failed("not as wanted", SEAT, hung=True), LATER)
    assert SetLoad(FOUND.load) not in told(state, servers, 60)[1]
    assert told(state, servers, 60)[0].applied == 1, "it is not there yet"


def test_a_server_that_holds_it_no_more_has_room(servers: Servers) -> None:
    state = after(hung(resizing(servers)), Heard(BESIDE), START)
    del servers.loads[SEAT]
    assert told(state, servers)[1] == {SetLoad(ONE.load), SetLoad(FOUND.load)}


def test_what_was_done_takes_its_room_though_the_reading_is_from_before(servers: Servers) -> None:
    state = after(resizing(servers), Answered(SEAT), LATER)
    state = after(state, Heard(BESIDE), LATER)
    state, begun = told(state, servers, 31, read=29)
    assert begun == set(), "by what was read last one stands, and there are four"
    assert state.applied == 1
    servers.loads[SEAT] = MORE.load
    state, begun = told(state, servers, 32)
    assert begun == {SetLoad(ONE.load)}


def test_what_was_loaded_since_the_reading_is_unloaded_where_it_may_not_run(servers: Servers) -> None:
    short = replace(MORE, until=START + timedelta(minutes=10))
    state = brought_about(site_plan(1, LOADS[1:]), servers)
    state, begun = told(after(state, Heard(site_plan(2, (short, LOADS[1]))), START), servers, 0)
    assert begun == {SetLoad(MORE.load)}
    state = after(state, Answered(SEAT), START + timedelta(seconds=585))
    assert Unload(*SEAT) in told(state, servers, 590, read=580)[1]


def test_what_is_in_doubt_stays_as_it_is_where_it_would_have_to_go_before_it_was_set(servers: Servers) -> None:
    ends = START + timedelta(minutes=10)
    state = hung(resizing(servers, site_plan(2, (replace(MORE, until=ends), LOADS[1]))))
    seconds = (ends - LEAD - LOADING - START).total_seconds()
    assert told(state, servers, round(seconds) - 1)[1] == {SetLoad(MORE.load, anew=True)}
    assert told(state, servers, round(seconds))[1] == set(), "it would be left out, and asked again at once"
    assert Unload(*SEAT) in told(state, servers, round((ends - LEAD - START).total_seconds()))[1]


@pytest.mark.parametrize("step_s", [-3_600, -3, 3, 3_600])
def test_what_was_done_is_read_though_the_clock_is_set(tmp_path: Path, step_s: int) -> None:
    site, hub, ahead_s = SimulatedServers(), SimulatedHub(), 0
    hub.plan_in_force = site_plan(1, LOADS, valid_until=START + timedelta(days=1))

    async def meanwhile(agent: Agent) -> None:
        nonlocal ahead_s
        await until_s(100)
        ahead_s = step_s
        await until_s(150)
        del site.loads[SEAT]
        await until_s(200)
        assert SEAT in site.loads
        assert agent.state.unread == ()
        ahead_s = 0
        hub.plan_in_force = replace(BESIDE, issued_at=now(), valid_until=START + timedelta(days=1))
        await until_s(300)
        assert (agent.state.unread, agent.state.applied) == ((), 3)

    at_work(tmp_path, site, hub, meanwhile, lambda: now() + timedelta(seconds=ahead_s))


def test_what_was_done_by_a_clock_that_ran_ahead_is_read_once_a_newer_plan_has_put_it_right(servers: Servers) -> None:
    state = after(resizing(servers), Answered(SEAT), START + timedelta(days=400))
    servers.loads[SEAT] = MORE.load
    state = after(state, Heard(replace(RESIZED, generation=3)), LATER)
    assert told(state, servers, 30, read=29)[0].unread
    assert told(state, servers, 31)[0].unread == ()
