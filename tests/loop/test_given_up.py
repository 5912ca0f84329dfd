"""What must not wait for a wave that hangs: later waves for what leaves aside, and the next turn for evidence."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from opentelemetry.sdk.trace import TracerProvider

from collectors.snapshot import Snapshot
from controller.acting.waiting import until
from controller.actions import GIVEN_UP, WITHDRAW, Action, SetLoad, SetRoutes, Transition, Unload, Wave
from controller.decision import Decision, State
from controller.fleet import Load
from controller.loop.at_work import Hands
from controller.loop.resuming import resumed
from controller.loop.runner import Runner
from controller.loop.turn import Memory, Wiring
from controller.planning.transitions.duration import LOOK_S
from policy.findings import Finding, Level
from policy.resolved import Policy
from policy.source import Loaded
from tests.loop.building import DETECT, MOVE, NOW, OLD_DETECT, ROUTES, keep, move, policy
from tests.loop.test_hanging import Hanging
from tests.loop.test_loop import ids, one_turn
from tests.loop.wired import Clock

AGAINST = Finding("GW1001", Level.ERROR, "it may not serve there any more", "nothing")
GONE = replace(AGAINST, id="GW2021")


async def waited(holds: Callable[[], bool]) -> None:
    async def does_hold() -> bool:
        return holds()

    async with asyncio.timeout(10):
        await until(does_hold)


def hanging_wiring(wiring: Wiring, hanging: Hanging, decision: Decision, **changed: object) -> Wiring:
    """A loop that looks each second, whose servers hang, and that decides so."""
    loaded = Loaded(policy(interval_s=1))
    wiring = replace(wiring, load=lambda _: loaded, hands=Hands((hanging,)), decide=lambda *_: decision)
    return replace(wiring, **changed)  # type: ignore[arg-type]


def beginning_with(*actions: Action) -> Decision:
    return replace(move(State()), transition=Transition((Wave(WITHDRAW, actions), *MOVE.waves[:2])))


async def test_no_later_wave_waits_for_what_is_unloaded_as_others_leave(wiring: Wiring) -> None:
    hanging = Hanging(OLD_DETECT, gives_up=False)
    decision = beginning_with(SetRoutes(()), Unload(OLD_DETECT))
    turning = asyncio.create_task(one_turn(hanging_wiring(wiring, hanging, decision)))
    await waited(lambda: SetRoutes(ROUTES) in hanging.asked)
    assert not turning.done(), "the unload is given its time"
    turning.cancel()
    await asyncio.gather(turning, return_exceptions=True)
    assert hanging.ended == [(OLD_DETECT, "")], "and nothing is left under way"


async def test_what_was_unloaded_aside_is_noted_though_others_were_before(wiring: Wiring) -> None:
    decision = beginning_with(Unload(OLD_DETECT))
    turned = await one_turn(hanging_wiring(wiring, Hanging(), decision))
    assert [each.wave for each in turned.carried.outcomes] == ["grow", "route", WITHDRAW]
    assert turned.is_reached
    assert turned.memory.state == decision.state


async def test_requests_that_may_not_go_where_they_do_are_not_kept_there_by_a_load_that_hangs(wiring: Wiring) -> None:
    hanging = Hanging(DETECT, gives_up=False)
    found: list[Finding] = []
    here = hanging_wiring(wiring, hanging, move(State()), recheck=lambda *_: tuple(found))
    turning = asyncio.create_task(one_turn(here))
    await waited(lambda: bool(hanging.asked))
    found.append(AGAINST)
    async with asyncio.timeout(5):
        turned = await turning
    assert turned.carried.given_up
    assert ids(turned) == ["GW1001"]
    (outcome,) = turned.carried.outcomes
    assert (outcome.error, outcome.hung) == (GIVEN_UP, None), "it had no time to show that it hangs"
    assert not turned.is_reached
    assert hanging.ended == [(DETECT, "")]


async def test_what_had_to_wait_for_what_is_given_up_was_not_begun_and_takes_no_room(wiring: Wiring) -> None:
    hanging = Hanging(DETECT, gives_up=False)
    found: list[Finding] = []
    loads = SetLoad(Load(DETECT, 2, 4, 1_000)), SetLoad(Load(OLD_DETECT, 8, 4, 1_000))
    decision = replace(move(State()), transition=Transition((Wave("grow", loads),)))
    one_by_one = Hands((hanging,), at_once=1)
    here = hanging_wiring(wiring, hanging, decision, recheck=lambda *_: tuple(found), hands=one_by_one)
    turning = asyncio.create_task(one_turn(here))
    await waited(lambda: bool(hanging.asked))
    found.append(AGAINST)
    async with asyncio.timeout(5):
        turned = await turning
    assert [each.action for each in turned.carried.outcomes] == hanging.asked == [loads[0]]
    assert [(each.placement, each.instances) for each in turned.memory.state.hung] == [(DETECT, 2)]


async def test_it_is_looked_again_soon_also_where_turns_are_far_apart(wiring: Wiring) -> None:
    hanging, looks = Hanging(DETECT, gives_up=False), []

    def seen(*_: object) -> tuple[Finding, ...]:
        looks.append(None)
        return (AGAINST,) if len(looks) > 1 else ()

    loaded = Loaded(policy(interval_s=300))
    async with asyncio.timeout(LOOK_S + 5):
        turned = await one_turn(hanging_wiring(wiring, hanging, move(State()), recheck=seen, load=lambda _: loaded))
    assert turned.carried.given_up


async def test_what_leaves_aside_is_given_up_with_the_rest_and_asked_by_the_next_turn(wiring: Wiring) -> None:
    hanging = Hanging(DETECT, OLD_DETECT, gives_up=False)
    found: list[Finding] = []
    here = hanging_wiring(wiring, hanging, beginning_with(Unload(OLD_DETECT)), recheck=lambda *_: tuple(found))
    turning = asyncio.create_task(one_turn(here))
    await waited(lambda: len(hanging.asked) == 2)
    found.append(AGAINST)
    async with asyncio.timeout(5):
        turned = await turning
    assert {each.error for each in turned.carried.outcomes} == {GIVEN_UP}
    assert ids(turned) == ["GW1001"]


async def test_a_server_that_is_gone_meanwhile_gives_nothing_up(wiring: Wiring) -> None:
    looks = []

    def seen(*_: object) -> tuple[Finding, ...]:
        looks.append(None)
        return (GONE,) if len(looks) > 1 else ()

    hanging = Hanging(DETECT, gives_up=False)
    turning = asyncio.create_task(one_turn(hanging_wiring(wiring, hanging, move(State()), recheck=seen)))
    await waited(lambda: len(looks) > 2)
    assert not turning.done()
    turning.cancel()
    await asyncio.gather(turning, return_exceptions=True)


async def test_another_policy_that_is_against_what_is_under_way_is_not_kept_waiting(wiring: Wiring) -> None:
    """It is judged as if it were the decision's, by its own name: what turns share is kept by that name."""
    policies, judged = [policy(interval_s=1)], list[tuple[str, str]]()

    def seen(policy: Policy, _snapshot: object, left: Decision, *_: object) -> tuple[Finding, ...]:
        judged.append((policy.revision, left.policy_revision))
        return (replace(AGAINST, id="GW2020"),) if policy.scaling.interval_s > 1 else ()

    hanging = Hanging(DETECT, gives_up=False)
    here = hanging_wiring(wiring, hanging, move(State()), recheck=seen, load=lambda _: Loaded(policies[-1]))
    turning = asyncio.create_task(one_turn(here))
    await waited(lambda: bool(hanging.asked))
    policies.append(policy("r2", interval_s=2))
    async with asyncio.timeout(5):
        turned = await turning
    assert turned.carried.given_up
    assert ids(turned) == ["GW2020"]
    assert set(judged) == {("r1", "r1"), ("r2", "r2")}


async def test_a_collector_that_fails_meanwhile_gives_nothing_up(wiring: Wiring) -> None:
    looks: list[Snapshot] = []
    (servers,) = wiring.servers

    def seen(_policy: object, snapshot: Snapshot, *_: object) -> tuple[Finding, ...]:
        looks.append(snapshot)
        servers.error = OSError("away")  # type: ignore[attr-defined]
        return ()

    hanging = Hanging(DETECT, gives_up=False)
    turning = asyncio.create_task(one_turn(hanging_wiring(wiring, hanging, move(State()), recheck=seen)))
    await waited(lambda: len(looks) > 1)
    first, second = (each.servers[0].reading.value for each in looks[:2])
    assert first == second is not None, "what was seen last counts on"
    turning.cancel()
    await asyncio.gather(turning, return_exceptions=True)


async def test_evidence_has_to_last_until_the_next_turn_once_a_wave_takes_longer_than_predicted(
    wiring: Wiring,
) -> None:
    clock, left_s = Clock(), []
    grow, route, shrink = MOVE.waves
    waves = (replace(grow, duration_us=9_000_000), replace(route, duration_us=1_000_000), shrink)
    decision = replace(move(State()), transition=Transition(waves, 10_000_000))

    def seen(_policy: object, _snapshot: object, left: Decision, now: datetime, *_: object) -> tuple[Finding, ...]:
        left_s.append((round((now - NOW).total_seconds()), round(left.transition.duration_us / 1_000_000)))
        clock.now += timedelta(seconds=4)
        return (AGAINST,) if len(left_s) == 5 else ()

    hanging = Hanging(DETECT, gives_up=False)
    async with asyncio.timeout(15):
        await one_turn(hanging_wiring(wiring, hanging, decision, recheck=seen, clock=clock))
    assert left_s == [(0, 10), (4, 10), (8, 6), (12, 3), (16, 3)]


async def test_evidence_behind_the_plan_has_to_last_until_the_next_turn_by_what_is_known_then(wiring: Wiring) -> None:
    """What the decision knew of it is two seconds; so long is asked at first, and then longer, unless it is renewed."""
    decision = replace(move(State()), valid_until=NOW + timedelta(seconds=2))
    ends, until_s = [NOW + timedelta(minutes=5)], []

    def seen(_policy: object, _snapshot: object, left: Decision, now: datetime, *_: object) -> tuple[Finding, ...]:
        assert left.valid_until is not None
        until_s.append(round((left.valid_until - now).total_seconds()))
        return (AGAINST,) if left.valid_until > ends[-1] else ()

    hanging = Hanging(DETECT, gives_up=False)
    turning = asyncio.create_task(one_turn(hanging_wiring(wiring, hanging, decision, recheck=seen)))
    await waited(lambda: len(until_s) > 2)
    assert not turning.done(), "it was renewed meanwhile"
    ends.append(NOW + timedelta(seconds=2))
    async with asyncio.timeout(5):
        turned = await turning
    assert turned.carried.given_up
    assert until_s[:3] == [2, 2, 2]
    assert ids(turned) == ["GW1001"]


async def test_no_more_time_is_asked_of_evidence_than_plans_rely_on(wiring: Wiring) -> None:
    """Else what was just planned would be given up, turn after turn."""
    lasts_s = []
    scaling = replace(policy(interval_s=1).scaling, evidence_lead_s=1)
    loaded = Loaded(replace(policy(), scaling=scaling))

    def seen(_policy: object, _snapshot: object, left: Decision, *_: object) -> tuple[Finding, ...]:
        lasts_s.append(left.transition.duration_us / 1_000_000)
        return (AGAINST,) if len(lasts_s) > 1 else ()

    hanging = Hanging(DETECT, gives_up=False)
    async with asyncio.timeout(5):
        await one_turn(hanging_wiring(wiring, hanging, move(State()), recheck=seen, load=lambda _: loaded))
    assert lasts_s == [2, 1]


async def test_the_turn_after_knows_that_something_was_given_up_also_of_a_controller_that_starts_anew(
    wiring: Wiring,
) -> None:
    looks = []

    def seen(*_: object) -> tuple[Finding, ...]:
        looks.append(None)
        return (AGAINST,) if len(looks) == 2 else ()

    here = hanging_wiring(wiring, Hanging(DETECT, gives_up=False), move(State()), recheck=seen)
    turned = await one_turn(here)
    assert turned.memory.state.is_late
    assert resumed(wiring.journal.place, lambda _: Loaded(policy())).state == turned.memory.state


async def test_the_next_turn_follows_at_once_where_something_was_given_up(wiring: Wiring) -> None:
    loop, turns = asyncio.get_running_loop(), []
    hanging = Hanging(DETECT, gives_up=False)

    def decide(_policy: object, _snapshot: object, state: State, now: datetime) -> Decision:
        turns.append(loop.time())
        return keep(state, now) if len(turns) > 1 else move(state, now)

    looks: list[float] = []

    def seen(*_: object) -> tuple[Finding, ...]:
        looks.append(loop.time())
        return (AGAINST,) if len(looks) > 1 else ()

    slow = Loaded(policy(interval_s=3))
    here = hanging_wiring(wiring, hanging, move(State()), recheck=seen, load=lambda _: slow, decide=decide)
    runner = Runner(here, Memory(), TracerProvider().get_tracer("test"))
    running = asyncio.create_task(runner.run())
    await waited(lambda: len(turns) > 1)
    runner.stop()
    await running
    assert turns[1] - looks[1] < 1.5


async def test_a_turn_that_is_broken_off_leaves_nothing_under_way_that_takes_time_to_end(wiring: Wiring) -> None:
    class TakingBack(Hanging):
        async def apply(self, decision_id: str, action: Action, policy: Policy) -> None:
            try:
                await super().apply(decision_id, action, policy)
            except asyncio.CancelledError:
                await asyncio.sleep(0.2)
                taken_back.append(action)
                raise

    taken_back: list[Action] = []
    hanging = TakingBack(DETECT, gives_up=False)
    turning = asyncio.create_task(one_turn(hanging_wiring(wiring, hanging, move(State()))))
    await waited(lambda: bool(hanging.asked))
    turning.cancel()
    await asyncio.gather(turning, return_exceptions=True)
    assert taken_back == list(MOVE.waves[0].actions)
