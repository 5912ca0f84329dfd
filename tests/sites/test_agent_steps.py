"""What an agent does next, from what it knows and what it sees."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from controller.actions import SetLoad, SetRoutes, Unload
from controller.fleet import Parts, RouteSet
from controller.sites.agent.intent import AWAY_AFTER, LEAD, LOADING, deviations, intent_of
from controller.sites.agent.machine import AGAIN, BACK_AFTER, SILENCE, step
from controller.sites.agent.scaling import Signal
from controller.sites.agent.state import AgentState, Failed, Heard, Looked, Missed, Told
from controller.sites.report import Cause, Phase, Refused
from controller.sites.site_plan import SiteRoute
from tests.sites.agent_steps import after
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
    fresh,
    routes,
    site_load,
    site_plan,
)

SOON = START + timedelta(minutes=10)


def settle(state: AgentState, servers: Servers, now: datetime, *signals: Signal) -> tuple[AgentState, list[str]]:
    """Look and do until there is nothing to do; the names of the waves."""
    names = []
    for _ in range(20):
        state, wave = step(SITE, state, Looked(servers.standing(), signals), now)
        if wave is None:
            return state, names
        names.append(wave.name)
        servers.do(wave)
    raise AssertionError(f"it never comes to rest: {names}")


def cut_off(state: AgentState, now: datetime) -> AgentState:
    return after(after(state, Missed(), now), Missed(), now + SILENCE)


@pytest.fixture
def servers() -> Servers:
    return Servers()


@pytest.fixture
def settled(servers: Servers) -> AgentState:
    """Connected, and its first plan brought about."""
    state, _ = settle(after(fresh(), Heard(site_plan()), START), servers, START)
    return after(state, Told(state.phase), START)


def test_without_a_plan_nothing_is_touched(servers: Servers) -> None:
    servers.loads[FIND, "edge-0"] = site_load(FIND, "edge-0").load
    assert settle(fresh(), servers, START)[1] == []


def test_a_plan_is_loaded_before_it_is_routed(servers: Servers) -> None:
    state, names = settle(after(fresh(), Heard(site_plan()), START), servers, START)
    assert names == ["grow", "route"]
    assert state.applied == 1
    assert servers.routes["receipts", "edge"] == HERE.routes


def test_requests_leave_before_what_they_went_to_is_unloaded(servers: Servers, settled: AgentState) -> None:
    one = site_plan(2, LOADS[:1], routes=(SiteRoute(routes((1000, READ), parts=[Parts(READ, (("edge-0", 1),))])),))
    state, names = settle(after(settled, Heard(one), START), servers, START)
    assert names == ["route", "shrink"]
    assert (state.applied, [*servers.loads]) == (2, [(READ, "edge-0")])


def test_an_older_plan_is_not_taken_up_after_a_newer_one(settled: AgentState) -> None:
    newer = after(settled, Heard(site_plan(9)), START)
    assert after(newer, Heard(site_plan(8)), START).generation == 9


def test_a_plan_that_was_refused_is_told_and_changes_nothing(settled: AgentState) -> None:
    refused = Refused(0, "bad signature")
    state = after(settled, Heard(refused=refused), START)
    assert (state.refused, state.generation) == (refused, 1)


def test_what_has_evidence_that_ends_goes_before_that(servers: Servers) -> None:
    protected = (site_load(READ, "edge-0", until=SOON), LOADS[1])
    state, _ = settle(after(fresh(), Heard(site_plan(1, protected)), START), servers, START)
    assert step(SITE, state, Looked(servers.standing()), SOON - LEAD - timedelta(seconds=1))[1] is None
    state, names = settle(state, servers, SOON - LEAD)
    assert names == ["withdraw"]
    assert [*servers.loads] == [(READ, "edge-1")]
    assert servers.routes["receipts", "edge"].nodes_of(READ) == (("edge-1", 1),)


def test_what_would_have_to_go_before_it_could_serve_is_not_loaded(servers: Servers) -> None:
    protected = (site_load(READ, "edge-0", until=START + LEAD + LOADING), LOADS[1])
    settle(after(fresh(), Heard(site_plan(1, protected)), START), servers, START)
    assert [*servers.loads] == [(READ, "edge-1")]


def test_a_clock_that_goes_back_brings_nothing_back(servers: Servers) -> None:
    protected = (site_load(READ, "edge-0", until=SOON), LOADS[1])
    state, _ = settle(after(fresh(), Heard(site_plan(1, protected)), START), servers, START)
    state, _ = settle(state, servers, SOON)
    assert settle(state, servers, START)[1] == []


def test_a_newer_plan_sets_a_clock_right_that_ran_ahead(settled: AgentState) -> None:
    ahead = after(settled, Missed(), START + timedelta(days=400))
    assert after(ahead, Heard(site_plan(2)), START + timedelta(seconds=1)).latest == START + timedelta(seconds=1)


def test_routes_end_with_their_evidence_though_the_loads_may_stay(servers: Servers) -> None:
    plan = site_plan(routes=(SiteRoute(HERE.routes, SOON),))
    state, _ = settle(after(fresh(), Heard(plan), START), servers, START)
    _, names = settle(state, servers, SOON - LEAD)
    assert names == ["withdraw"]
    assert servers.routes["receipts", "edge"].ways == ()


def test_what_was_protected_and_is_not_planned_any_more_goes_at_once(servers: Servers) -> None:
    protected = (site_load(READ, "edge-0", until=START + timedelta(days=9)), LOADS[1])
    state, _ = settle(after(fresh(), Heard(site_plan(1, protected)), START), servers, START)
    newer = site_plan(2, (LOADS[1], site_load(FIND, "edge-0")))
    _, names = settle(after(state, Heard(newer), START), servers, START)
    assert names[0] == "withdraw"


def test_no_server_is_given_more_than_its_limits(servers: Servers) -> None:
    greedy = tuple(site_load(each, "edge-0", 4) for each in (READ, FIND))
    state, _ = settle(after(fresh(), Heard(site_plan(3, greedy)), START), servers, START)
    assert {seat: load.instances for seat, load in servers.loads.items()} == {(READ, "edge-0"): 4, (FIND, "edge-0"): 1}
    assert (state.applied, state.refused) == (
        0,
        Refused(3, "over the limits of this site's servers: find/fp16@edge has 1 of 4 instances"),
    )


def test_a_server_that_no_limits_are_told_of_is_given_nothing(servers: Servers) -> None:
    state, _ = settle(after(fresh(), Heard(site_plan(1, (site_load(READ, "edge-7"),))), START), servers, START)
    assert (servers.loads, state.applied) == ({}, 0)


def test_a_server_that_lost_its_models_gets_them_again(servers: Servers, settled: AgentState) -> None:
    settled = cut_off(settled, START)
    servers.kill(("edge", "edge-0"))
    state, names = settle(settled, servers, SOON)
    assert names == ["route"]
    assert servers.routes["receipts", "edge"].nodes_of(READ) == (("edge-1", 1),)
    servers.revive(("edge", "edge-0"))
    assert settle(state, servers, SOON)[1] == ["grow", "route"]
    assert servers.routes["receipts", "edge"].parts == HALVES


def test_a_server_that_is_dead_holds_up_no_plan_for_the_others(servers: Servers, settled: AgentState) -> None:
    servers.kill(("edge", "edge-0"))
    plan = site_plan(2, (*LOADS, site_load(FIND, "edge-1")))
    state, names = settle(after(settled, Heard(plan), START), servers, START)
    assert (names, state.applied) == (["grow", "route"], 2)


def test_what_failed_is_put_off_and_the_rest_goes_on(servers: Servers, settled: AgentState) -> None:
    plan = site_plan(2, (*LOADS, site_load(FIND, "edge-0")))
    state = after(after(settled, Heard(plan), START), Failed("no such model", (FIND, "edge-0")), START)
    assert settle(state, servers, START)[1] == []
    assert state.refused == Refused(2, "no such model", None, ((FIND, "edge-0"),))
    state, names = settle(state, servers, START + AGAIN)
    assert (names, state.applied, state.refused) == (["grow"], 2, None)


def test_a_server_that_hangs_is_told_with_what_was_asked_of_it(settled: AgentState) -> None:
    seat = FIND, "edge-0"
    plan = site_plan(2, (*LOADS, site_load(FIND, "edge-0")))
    state = after(after(settled, Heard(plan), START), Failed("it hangs", seat, hung=True), START)
    assert state.refused == Refused(2, "it hangs", seat, (seat,))


def test_a_hub_that_is_silent_for_a_moment_is_not_out_of_reach(settled: AgentState) -> None:
    assert after(settled, Missed(), START + SILENCE / 2).phase is Phase.CONNECTED
    assert cut_off(settled, START).phase is Phase.CUT_OFF


def test_a_report_that_comes_through_ends_a_cut_too(settled: AgentState) -> None:
    state = cut_off(settled, START)
    phases = []
    for _ in range(2):
        state = after(state, Told(state.phase), SOON)
        phases.append((state.phase, state.cut_off_since is None))
    state = after(state, Told(state.phase), SOON)
    assert [*phases, (state.phase, state.cut_off_since is None)] == [
        (Phase.RECONCILING, False),
        (Phase.CONNECTED, False),
        (Phase.CONNECTED, True),
    ]


def test_a_report_of_before_the_hub_was_heard_tells_nothing_of_what_followed(settled: AgentState) -> None:
    """It was on its way when a call for a plan came through: the hub has yet to hear what the site did alone."""
    state = after(cut_off(settled, START), Heard(), SOON)
    state = after(state, Told(Phase.CUT_OFF), SOON)
    assert (state.phase, state.cut_off_since is None) == (Phase.RECONCILING, False)
    state = after(state, Told(Phase.RECONCILING), SOON)
    assert after(state, Told(Phase.RECONCILING), SOON).cut_off_since is not None


def asked(milli_rps: int, at: datetime) -> Signal:
    return Signal((READ, "edge-0"), at, milli_rps)


def test_only_a_site_that_is_cut_off_scales_by_itself(servers: Servers, settled: AgentState) -> None:
    assert settle(settled, servers, START, asked(25_000, START))[1] == []
    settle(cut_off(settled, START), servers, SOON, asked(25_000, SOON))
    assert servers.loads[READ, "edge-0"].instances == 3


def test_more_instances_than_its_envelope_a_load_never_gets(servers: Servers, settled: AgentState) -> None:
    settle(cut_off(settled, START), servers, SOON, asked(900_000, SOON))
    assert servers.loads[READ, "edge-0"].instances == 4


def test_fewer_come_one_at_a_time_and_each_after_a_while(servers: Servers, settled: AgentState) -> None:
    state, _ = settle(cut_off(settled, START), servers, SOON, asked(25_000, SOON))
    seen = []
    for minute in range(12):
        now = SOON + timedelta(minutes=minute)
        state, _ = settle(state, servers, now, asked(5_000, now))
        seen.append(servers.loads[READ, "edge-0"].instances)
    assert seen == [3, 3, 3, 2, 2, 2, 1, 1, 1, 1, 1, 1]


def test_a_signal_that_is_old_scales_nothing(servers: Servers, settled: AgentState) -> None:
    assert settle(cut_off(settled, START), servers, SOON, asked(25_000, START))[1] == []


def test_a_fallback_stands_in_while_another_site_is_silent(servers: Servers) -> None:
    state, _ = settle(after(fresh(), Heard(site_plan(routes=(ELSEWHERE,), fallbacks=(HERE,))), START), servers, START)
    state = cut_off(after(state, Told(state.phase), START), START)
    silent = Looked(servers.standing(), remote_silent=frozenset({AWAY.pool}))
    state, wave = step(SITE, state, silent, SOON)
    assert wave is None
    state, wave = step(SITE, state, silent, SOON + AWAY_AFTER)
    assert wave is not None
    assert wave.actions == (SetRoutes((HERE.routes,)),)
    servers.do(wave)
    assert state.plan is not None
    intent = intent_of(SITE, state, state.plan, servers.standing(), SOON + AWAY_AFTER)
    assert [item.cause for item in deviations(state.plan, state, intent, SOON)] == [Cause.FALLBACK]
    back = SOON + timedelta(minutes=1)
    state, wave = step(SITE, state, Looked(servers.standing()), back)
    assert wave is None
    state, wave = step(SITE, state, Looked(servers.standing()), back + BACK_AFTER)
    assert wave is not None
    assert wave.actions == (SetRoutes((ELSEWHERE.routes,)),)


def test_what_was_chosen_alone_stays_until_a_plan_knows_of_it(servers: Servers, settled: AgentState) -> None:
    state, _ = settle(cut_off(settled, START), servers, SOON, asked(25_000, SOON))
    state = after(state, Heard(site_plan(2)), SOON)
    assert (state.phase, settle(state, servers, SOON)[1]) == (Phase.RECONCILING, [])
    state = after(state, Told(state.phase), SOON)
    assert (state.phase, settle(state, servers, SOON)[1]) == (Phase.CONNECTED, [])
    _, names = settle(after(state, Heard(site_plan(3)), SOON), servers, SOON)
    assert (names, servers.loads[READ, "edge-0"].instances) == (["route", "shrink"], 1)


def test_what_was_not_changed_goes_by_the_newer_plan_at_once(servers: Servers, settled: AgentState) -> None:
    state, _ = settle(cut_off(settled, START), servers, SOON, asked(5_000, SOON))
    more = (site_load(READ, "edge-0", 2), LOADS[1])
    settle(after(state, Heard(site_plan(2, more)), SOON), servers, SOON)
    assert servers.loads[READ, "edge-0"].instances == 2


def test_what_a_gateway_that_refuses_routes_still_asks_stays_loaded(servers: Servers, settled: AgentState) -> None:
    one = site_plan(2, LOADS[:1], routes=(SiteRoute(routes((1000, READ), parts=[Parts(READ, (("edge-0", 1),))])),))
    state = after(after(settled, Heard(one), START), Failed("the gateway refused the routes"), START)
    assert settle(state, servers, START)[1] == []
    assert settle(state, servers, START + AGAIN)[1] == ["route", "shrink"]


def test_gateways_that_do_not_tell_keep_what_requests_may_go_to(servers: Servers, settled: AgentState) -> None:
    blind = Looked(servers.standing().__class__(dict(servers.loads), frozenset(), None))
    assert step(SITE, after(settled, Heard(site_plan(2, LOADS[:1])), START), blind, START)[1] is None


def test_what_may_not_run_is_unloaded_also_when_gateways_do_not_tell(servers: Servers) -> None:
    state, _ = settle(
        after(fresh(), Heard(site_plan(1, (site_load(READ, "edge-0", until=SOON),))), START), servers, START
    )
    blind = Looked(servers.standing().__class__(dict(servers.loads), frozenset(), None))
    _, wave = step(SITE, state, blind, SOON)
    assert wave is not None
    assert wave.actions == (Unload(READ, "edge-0"),)


def test_what_has_no_room_beside_the_old_comes_after_it(servers: Servers, settled: AgentState) -> None:
    big = site_load(FIND, "edge-0", memory_mib=3_600)
    only = RouteSet("receipts", "edge", ())
    state, names = settle(after(settled, Heard(site_plan(2, (big,), routes=(SiteRoute(only),))), START), servers, START)
    assert names == ["withdraw", "shrink", "grow"]
    assert [*servers.loads] == [(FIND, "edge-0")]
    assert state.applied == 2


def test_a_setting_that_changed_is_set(servers: Servers, settled: AgentState) -> None:
    anew = site_load(READ, "edge-0").load.__class__(READ, 1, 8, 900, "edge-0")
    plan = site_plan(2, (site_load(READ, "edge-0", load=anew), LOADS[1]))
    _, wave = step(SITE, after(settled, Heard(plan), START), Looked(servers.standing()), START)
    assert wave is not None
    assert wave.actions == (SetLoad(anew),)


def test_a_load_is_not_set_otherwise_shortly_before_it_goes(servers: Servers) -> None:
    ends = (site_load(READ, "edge-0", until=SOON),)
    state, _ = settle(after(fresh(), Heard(site_plan(1, ends)), START), servers, START)
    more = (site_load(READ, "edge-0", 2, until=SOON),)
    late = SOON - LEAD - LOADING
    assert settle(after(state, Heard(site_plan(2, more)), late), servers, late)[1] == []
    assert settle(after(state, Heard(site_plan(2, more)), START), servers, START)[1][:1] == ["grow"]


def test_what_was_still_being_loaded_for_a_plan_before_is_known_to_be_protected(servers: Servers) -> None:
    protected = (*LOADS, site_load(FIND, "edge-0", until=SOON))
    state = after(fresh(), Heard(site_plan(1, protected)), START)
    state, _ = settle(after(state, Heard(site_plan(2)), START), servers, START)
    servers.loads[FIND, "edge-0"] = protected[-1].load  # its server comes to it only now
    blind = replace(servers.standing(), routes=None)
    _, wave = step(SITE, state, Looked(blind), START)
    assert wave is not None
    assert wave.actions == (Unload(FIND, "edge-0"),)


def test_what_was_put_off_blindly_is_unloaded_at_once_when_its_server_tells_again(servers: Servers) -> None:
    ends = (site_load(READ, "edge-0", until=SOON),)
    state, _ = settle(after(fresh(), Heard(site_plan(1, ends)), START), servers, START)
    late, mute = SOON - LEAD, replace(servers.standing(), loads={}, silent=frozenset([("edge", "edge-0")]))
    state, wave = step(SITE, state, Looked(mute), late)
    assert wave is not None
    assert Unload(READ, "edge-0") in wave.actions
    state = after(state, Failed("it hangs", (READ, "edge-0"), urgent=True, blind=True), late)
    state, wave = step(SITE, state, Looked(mute), late)
    assert wave is None or Unload(READ, "edge-0") not in wave.actions
    assert state.refused is None
    _, wave = step(SITE, state, Looked(servers.standing()), late)
    assert wave is not None
    assert Unload(READ, "edge-0") in wave.actions
