"""The loop: what it does in which order, and what it does not do when something is wrong."""

import asyncio
import resource
import signal
import sqlite3
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from opentelemetry.sdk.trace import TracerProvider

from collectors.snapshot import ModelState, Snapshot
from controller.acting.actuator import ActuatorError, UnreadError
from controller.acting.dry_run import DryRun
from controller.actions import Action, SetLoad, SetRoutes, Unload, Wave
from controller.decision import Decision, State
from controller.fleet import Fleet, Load, RouteSet
from controller.journal.reader import reading
from controller.loop.at_work import Hands
from controller.loop.stopping import Stopping
from controller.loop.turn import Memory, Turned, Wiring, turn
from controller.telemetry.phases import Phases
from policy.findings import Finding, Level
from policy.resolved import Policy
from policy.source import Loaded
from tests.loop.building import DETECT, MOVE, NOW, OLD_DETECT, ROUTES, keep, move, policy
from tests.loop.wired import BROKEN, Clock, Refusing, Seen
from tests.planning.world import RECEIPT_OCR


async def one_turn(wiring: Wiring, memory: Memory | None = None) -> Turned:
    phases = Phases(TracerProvider().get_tracer("test"))
    return await turn(wiring, memory or Memory(), phases, Stopping())


def ids(turned: Turned) -> list[str]:
    return [finding.id for finding in turned.findings()]


async def test_a_decision_is_carried_out_wave_by_wave_and_remembered(wiring: Wiring, dry: DryRun) -> None:
    turned = await one_turn(wiring)
    assert [action for _, action in dry.noted] == [action for wave in MOVE.waves for action in wave.actions]
    assert [outcome.wave for outcome in turned.carried.outcomes] == ["grow", "route", "shrink"]
    assert turned.decision is not None
    assert turned.memory.state == turned.decision.state


async def test_of_several_waves_of_one_name_each_is_noted_with_what_came_of_itself(wiring: Wiring) -> None:
    twice = replace(move(State()), transition=replace(MOVE, waves=(*MOVE.waves[:2], *MOVE.waves)))
    await one_turn(replace(wiring, decide=lambda *_: twice))
    with reading(wiring.journal.place) as reader:
        noted = [(acted.wave, len(acted.outcomes)) for acted in reader.outcomes()]
    assert noted == [(name, 1) for name in ("grow", "route", "grow", "route", "shrink")]


async def test_the_journal_holds_the_decision_before_anything_is_acted_on(wiring: Wiring) -> None:
    seen = []

    class Looking(DryRun):
        async def apply(self, decision_id: str, action: Action, policy: Policy) -> None:
            with reading(wiring.journal.place) as reader:
                seen.append([decided.decision for decided in reader.decisions()])
            await super().apply(decision_id, action, policy)

    await one_turn(replace(wiring, hands=Hands((Looking(),))))
    assert seen == [["d1"], ["d1"], ["d1"]]


async def test_without_a_journal_entry_nothing_is_acted_on(wiring: Wiring, dry: DryRun) -> None:
    other = sqlite3.connect(wiring.journal.place, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    turned = await one_turn(wiring)
    other.execute("ROLLBACK")
    other.close()
    assert dry.noted == []
    assert ids(turned) == ["GW3003"]
    assert turned.memory.state == State()
    assert not turned.carried.noted
    await one_turn(wiring, turned.memory)
    assert len(dry.noted) == 3


async def test_a_disk_that_fills_up_stops_all_action(wiring: Wiring, dry: DryRun) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (wiring.journal.place.stat().st_size, limits[1]))
    try:
        turned = await one_turn(wiring)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    assert dry.noted == []
    assert ids(turned) == ["GW3003"]
    assert "free space" in turned.carried.findings[0].message


async def test_a_transition_stops_when_what_came_of_a_wave_cannot_be_noted(wiring: Wiring, dry: DryRun) -> None:
    other = sqlite3.connect(wiring.journal.place, isolation_level=None)

    class Locking(DryRun):
        async def apply(self, decision_id: str, action: Action, policy: Policy) -> None:  # noqa: ARG002
            other.execute("BEGIN IMMEDIATE")

        def handles(self, action: Action) -> bool:
            return isinstance(action, SetLoad)

    turned = await one_turn(replace(wiring, hands=Hands((Locking(), dry))))
    other.execute("ROLLBACK")
    other.close()
    assert dry.noted == []
    assert ids(turned) == ["GW3003"]
    assert turned.memory.state.fleet == Fleet((Load(DETECT, 2, 4, 1_000),))


async def test_a_failed_action_stops_the_transition_and_only_what_was_done_is_remembered(
    wiring: Wiring, dry: DryRun
) -> None:
    turned = await one_turn(replace(wiring, hands=Hands((Refusing(SetRoutes), dry))))
    assert [action for _, action in dry.noted] == [MOVE.waves[0].actions[0]]
    assert ids(turned) == ["GW3004"]
    state = turned.memory.state
    assert (state.fleet.loads, state.fleet.routes) == ((Load(DETECT, 2, 4, 1_000),), ROUTES), "they may be followed"
    assert (state.plan, state.forecasts) == (State().plan, State().forecasts)
    assert [item.placement for item in state.started] == [DETECT]
    assert state.turn == 1


async def test_a_failed_unload_leaves_the_plan_in_force_and_the_load_remembered(wiring: Wiring, dry: DryRun) -> None:
    before = State(fleet=Fleet((Load(OLD_DETECT, 1, 4, 0),)))
    turned = await one_turn(replace(wiring, hands=Hands((Refusing(Unload), dry))), Memory(state=before))
    assert turned.decision is not None
    state = turned.memory.state
    assert (state.plan, state.forecasts) == (turned.decision.plan, turned.decision.forecasts)
    assert state.fleet == Fleet((Load(OLD_DETECT, 1, 4, 0), Load(DETECT, 2, 4, 1_000)), ROUTES)


async def test_the_other_actions_of_a_wave_are_finished_when_one_fails(wiring: Wiring) -> None:
    done = []

    class Slow(DryRun):
        async def apply(self, decision_id: str, action: Action, policy: Policy) -> None:  # noqa: ARG002
            await asyncio.sleep(0.05)
            done.append(action)

        def handles(self, action: Action) -> bool:
            return isinstance(action, SetLoad)

    wave = replace(MOVE.waves[0], actions=(Unload(OLD_DETECT), *MOVE.waves[0].actions))
    both = replace(move(State()), transition=replace(MOVE, waves=(wave,)))
    turned = await one_turn(replace(wiring, decide=lambda *_: both, hands=Hands((Refusing(Unload), Slow()))))
    assert done == list(MOVE.waves[0].actions)
    assert [bool(outcome.error) for outcome in turned.carried.outcomes] == [True, False]


async def test_no_more_actions_run_at_once_than_allowed(wiring: Wiring) -> None:
    running, most = 0, 0

    class Counting(DryRun):
        async def apply(self, decision_id: str, action: Action, policy: Policy) -> None:  # noqa: ARG002
            nonlocal running, most
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.01)
            running -= 1

    actions = tuple(Unload(replace(OLD_DETECT, variant=str(index))) for index in range(7))
    many = replace(move(State()), transition=replace(MOVE, waves=(replace(MOVE.waves[2], actions=actions),)))
    await one_turn(replace(wiring, decide=lambda *_: many, hands=Hands((Counting(),), at_once=3)))
    assert most == 3


async def test_an_action_that_never_ends_is_given_up(wiring: Wiring) -> None:
    class Hanging(DryRun):
        async def apply(self, decision_id: str, action: Action, policy: Policy) -> None:  # noqa: ARG002
            await asyncio.Event().wait()

    turned = await one_turn(replace(wiring, hands=Hands((Hanging(),), deadline=timedelta(milliseconds=20))))
    assert "not done within 0.02 s" in turned.carried.outcomes[0].error


async def test_an_action_that_no_actuator_takes_says_what_to_do(wiring: Wiring) -> None:
    turned = await one_turn(replace(wiring, hands=Hands(())))
    assert "connections document" in turned.carried.outcomes[0].error


async def test_what_the_second_look_finds_stops_everything(wiring: Wiring, dry: DryRun) -> None:
    gone = Finding("GW2021", Level.WARNING, "node gone", "wait")
    turned = await one_turn(replace(wiring, recheck=lambda *_: (gone,)))
    assert dry.noted == []
    assert ids(turned) == ["GW2021"]
    assert turned.memory.state.fleet == Fleet()


async def test_the_second_look_asks_the_servers_again(wiring: Wiring) -> None:
    servers = wiring.servers[0]
    assert isinstance(servers, Seen)
    looked: list[Snapshot] = []

    def recheck(
        _policy: Policy, snapshot: Snapshot, _decision: Decision, now: datetime, _followed: Iterable[RouteSet]
    ) -> tuple[Finding, ...]:
        assert snapshot.at == now
        looked.append(snapshot)
        return ()

    await one_turn(replace(wiring, recheck=recheck))
    assert servers.asked == 2
    value = looked[0].servers[0].reading.value
    assert value is not None
    assert value.models[0].state is ModelState.READY
    assert looked[0].offered


@pytest.mark.parametrize(("takes_s", "waves_left"), [(10, [3, 1]), (20, [3, 2, 1]), (-14 * 86_400, [3, 2, 1])])
async def test_what_was_looked_at_longer_ago_than_readings_count_is_looked_at_again_before_the_next_wave(
    wiring: Wiring, takes_s: int, waves_left: list[int]
) -> None:
    clock = Clock()
    looked: list[tuple[int, bool]] = []

    class Slow(DryRun):
        async def apply(self, decision_id: str, action: Action, policy: Policy) -> None:  # noqa: ARG002
            clock.now += timedelta(seconds=takes_s if isinstance(action, SetLoad) else 16)

    def recheck(
        _policy: Policy, _snapshot: Snapshot, left: Decision, _now: datetime, followed: Iterable[RouteSet]
    ) -> tuple[Finding, ...]:
        looked.append((len(left.transition.waves), tuple(followed) == ROUTES))
        return ()

    assert policy().scaling.stale_after_s == 15
    await one_turn(replace(wiring, recheck=recheck, hands=Hands((Slow(),)), clock=clock))
    assert looked == [(left, left == 1) for left in waves_left]


async def test_what_a_look_between_waves_finds_stops_the_rest(wiring: Wiring) -> None:
    ended = Finding("GW1087", Level.ERROR, "nobody may use it", "wait")
    clock = Clock()

    class Slow(DryRun):
        async def apply(self, decision_id: str, action: Action, policy: Policy) -> None:  # noqa: ARG002
            clock.now += timedelta(seconds=20)

    def recheck(_policy: Policy, _snapshot: Snapshot, left: Decision, *_: object) -> tuple[Finding, ...]:
        return () if left.transition == MOVE else (ended,)

    turned = await one_turn(replace(wiring, recheck=recheck, hands=Hands((Slow(),)), clock=clock))
    assert [outcome.wave for outcome in turned.carried.outcomes] == ["grow"]
    assert ids(turned) == ["GW1087"]
    assert turned.memory.state.fleet.loads == (Load(DETECT, 2, 4, 1_000),)
    assert turned.memory.state.fleet.routes == ()


async def test_a_plan_whose_evidence_has_ended_is_not_carried_on(wiring: Wiring, dry: DryRun) -> None:
    ended = replace(move(State()), valid_until=NOW)
    turned = await one_turn(replace(wiring, decide=lambda *_: ended))
    assert dry.noted == []
    assert ids(turned) == ["GW3005"]


async def test_an_action_that_would_begin_after_evidence_has_ended_is_not_done_though_its_wave_has_begun(
    wiring: Wiring,
) -> None:
    placements = [replace(DETECT, variant=f"v{index}") for index in range(3)]
    clock, until = Clock(), NOW + timedelta(seconds=100)
    begun = []

    class Pulling(DryRun):
        async def apply(self, decision_id: str, action: Action, policy: Policy) -> None:  # noqa: ARG002
            begun.append(action)
            clock.now += timedelta(seconds=60)

    grow = Wave("grow", tuple(SetLoad(Load(each, 1, 4, 0)) for each in placements))
    decision = replace(move(State()), transition=replace(MOVE, waves=(grow, *MOVE.waves[1:])), valid_until=until)
    hands = Hands((Pulling(),), at_once=1)
    turned = await one_turn(replace(wiring, decide=lambda *_: decision, hands=hands, clock=clock))
    assert begun == list(grow.actions[:2])
    done = turned.carried.outcomes
    assert [(each.action, bool(each.error)) for each in done] == [
        *((each, False) for each in begun),
        (grow.actions[2], True),
    ]
    assert "evidence behind the plan ends" in done[2].error
    assert ids(turned) == ["GW3005"]
    with reading(wiring.journal.place) as reader:
        assert [(acted.wave, len(acted.outcomes)) for acted in reader.outcomes()] == [("grow", 3)]
    assert [load.placement for load in turned.memory.state.fleet.loads] == placements[:2]


async def test_a_broken_policy_keeps_the_last_good_one_and_says_so(wiring: Wiring) -> None:
    first = await one_turn(wiring)
    second = await one_turn(replace(wiring, load=lambda _: BROKEN), first.memory)
    assert second.memory.in_force.policy == policy()
    assert ids(second) == ["GW3002", "GW0101"]
    assert second.decision is not None
    third = await one_turn(wiring, second.memory)
    assert ids(third) == []


async def test_without_any_good_policy_nothing_is_decided(wiring: Wiring, dry: DryRun) -> None:
    turned = await one_turn(replace(wiring, load=lambda _: BROKEN))
    assert turned.decision is None
    assert dry.noted == []


async def test_a_collector_that_is_late_leaves_its_last_readings_to_grow_old(wiring: Wiring) -> None:
    first = await one_turn(wiring)
    rates = wiring.collectors[1]
    assert isinstance(rates, Seen)
    rates.delay_s = 60
    second = await one_turn(wiring, first.memory)
    assert second.snapshot.offered == first.snapshot.offered
    assert [finding.id for finding in second.snapshot.findings] == ["GW3001"]


async def test_a_collector_that_fails_from_the_start_gives_missing_readings_not_zeros(wiring: Wiring) -> None:
    failing = Seen("rates", error=RuntimeError("bug"))
    turned = await one_turn(replace(wiring, collectors=(*wiring.servers, failing)))
    assert turned.snapshot.offered_rate("receipt-ocr", "edge-paris").value is None
    assert "RuntimeError: bug" in turned.snapshot.findings[0].message


async def test_the_routes_that_gateways_follow_count_more_than_those_once_set(wiring: Wiring) -> None:
    class Gateway:
        async def routes(self) -> tuple[RouteSet, ...]:
            return ()

    given: list[State] = []

    def decide(_policy: Policy, _snapshot: Snapshot, state: State, now: datetime) -> Decision:
        given.append(state)
        return keep(state, now)

    before = Memory(state=State(fleet=Fleet((), ROUTES)))
    await one_turn(replace(wiring, decide=decide, routes=Gateway()), before)
    assert given[0].fleet.routes == ()


async def test_unreadable_gateways_leave_the_routes_once_set_and_a_finding(wiring: Wiring) -> None:
    class Gateway:
        async def routes(self) -> tuple[RouteSet, ...]:
            raise ActuatorError("the admin port does not answer")

    before = Memory(state=State(fleet=Fleet((), ROUTES)))
    turned = await one_turn(
        replace(wiring, decide=lambda _p, _s, state, now: keep(state, now), routes=Gateway()), before
    )
    assert turned.memory.state.fleet.routes == ROUTES
    assert ids(turned) == ["GW3007"]


async def test_a_gateway_that_does_not_tell_keeps_nobody_from_believing_the_others(wiring: Wiring) -> None:
    at_paris = ROUTES[0]
    at_lyon = replace(at_paris, origin="edge-lyon")
    elsewhere = replace(at_lyon, ways=())

    class Gateway:
        async def routes(self) -> tuple[RouteSet, ...]:
            raise UnreadError("the admin port does not answer", (elsewhere,), {at_paris.origin})

    given: list[State] = []

    def decide(_policy: Policy, _snapshot: Snapshot, state: State, now: datetime) -> Decision:
        given.append(state)
        return keep(state, now)

    before = Memory(state=State(fleet=Fleet((), (at_lyon, at_paris))))
    loaded = Loaded(replace(policy(), services=(RECEIPT_OCR,)))
    turned = await one_turn(replace(wiring, load=lambda _: loaded, decide=decide, routes=Gateway()), before)
    assert given[0].fleet.routes == (elsewhere, at_paris)
    assert ids(turned) == ["GW3007"]


async def test_parts_are_made_ready_before_the_first_action_and_also_where_there_is_none(
    wiring: Wiring, dry: DryRun
) -> None:
    told = Finding("GW2136", Level.ERROR, "not written", "see why")
    seen: list[tuple[str, Fleet, int]] = []

    class Noting:
        async def prepare(
            self, _policy: Policy, _snapshot: Snapshot, running: Fleet, decision: Decision
        ) -> tuple[Finding, ...]:
            seen.append((decision.id, running, len(dry.noted)))
            return (told,)

        async def keep(
            self, _policy: Policy, _planned: Fleet, _snapshot: Snapshot, *, is_reached: bool
        ) -> tuple[Finding, ...]:
            raise AssertionError(f"a turn ends before that, reached: {is_reached}")

    before = State(fleet=Fleet((), ROUTES))
    turned = await one_turn(replace(wiring, upkeep=Noting()), Memory(state=before))
    assert (seen, ids(turned), turned.is_reached) == ([("d1", before.fleet, 0)], ["GW2136"], True)
    assert [action for _, action in dry.noted] == [action for wave in MOVE.waves for action in wave.actions]
    again = replace(wiring, upkeep=Noting(), decide=lambda _p, _s, state, now: keep(state, now))
    assert ids(await one_turn(again, turned.memory)) == ["GW2136"]
    assert len(seen) == 2
