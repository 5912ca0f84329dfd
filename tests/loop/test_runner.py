"""Turn after turn: when they begin, how they end, and what is told of them."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from collectors.snapshot import Snapshot
from controller.acting.dry_run import DryRun
from controller.acting.waiting import until
from controller.actions import Action
from controller.decision import Decision, Proof, State, Verdict
from controller.fleet import Load
from controller.journal.reader import reading
from controller.loop.at_work import Hands
from controller.loop.policies import InForce
from controller.loop.runner import Runner, next_due
from controller.loop.status import Status, readiness
from controller.loop.stopping import Stopping
from controller.loop.turn import Memory, Wiring, turn
from controller.telemetry.phases import Phases
from controller.telemetry.tracing import RecentSpans, tracer_provider
from policy.findings import Finding, Level
from policy.resolved import Policy
from rules.kernel.plan import Instances, Plan
from tests.loop.building import DETECT, MOVE, NOW, keep, policy
from tests.loop.wired import BROKEN, Clock

FOUND_WHY = Finding("GW2011", Level.ERROR, "these clauses cannot all hold", "loosen one of them")
TRACER = tracer_provider(RecentSpans()).get_tracer("test")


@pytest.mark.parametrize(
    ("due", "now", "expected"),
    [(10.0, 10.2, 15.0), (10.0, 15.0, 20.0), (10.0, 26.0, 30.0), (10.0, 8.0, 10.0)],
    ids=["a short turn", "a turn of one interval", "a long turn skips", "a nudged turn keeps the beat"],
)
def test_turns_begin_at_fixed_instants(due: float, now: float, expected: float) -> None:
    assert next_due(due, 5, now) == expected


def runner(wiring: Wiring, recent: RecentSpans | None = None) -> Runner:
    return Runner(wiring, Memory(), tracer_provider(recent or RecentSpans()).get_tracer("test"))


async def until_turns(loop: Runner, turns: int) -> None:
    async def done() -> bool:
        return loop.status.turns >= turns

    await until(done)


@asynccontextmanager
async def running(loop: Runner) -> AsyncIterator[None]:
    """A loop that is stopped after the block, and has ended then."""
    task = asyncio.create_task(loop.run())
    try:
        yield
    finally:
        loop.stop()
        await task


async def run(loop: Runner, turns: int = 1) -> None:
    """So many turns, of which all but the first begin by a nudge."""
    async with running(loop):
        await until_turns(loop, 1)
        for each in range(2, turns + 1):
            loop.nudge()
            await until_turns(loop, each)


async def test_a_nudge_begins_the_next_turn_at_once_and_stop_ends_the_run(wiring: Wiring) -> None:
    loop = runner(wiring)
    await run(loop, turns=2)
    assert loop.status.turns == 2


@pytest.mark.parametrize("audited_s", [0, 86_400])
async def test_the_journal_may_forget_only_what_is_older_than_a_profile_asks(
    wiring: Wiring, monkeypatch: pytest.MonkeyPatch, audited_s: int
) -> None:
    asked: list[datetime | None] = []
    monkeypatch.setattr(wiring.journal, "forget_oldest", asked.append)
    monkeypatch.setattr(Policy, "audited_s", audited_s)
    loop = runner(wiring)
    await run(loop)
    (since,) = asked
    assert (since is None) == (audited_s == 0)
    assert since is None or timedelta() <= wiring.clock() - since - timedelta(seconds=audited_s) < timedelta(minutes=1)


async def test_a_clock_that_runs_ahead_has_the_journal_forget_nothing_before_its_time(
    wiring: Wiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[datetime | None] = []
    monkeypatch.setattr(wiring.journal, "forget_oldest", asked.append)
    monkeypatch.setattr(Policy, "audited_s", 86_400)
    loop, begun = runner(wiring), wiring.clock()
    assert isinstance(wiring.clock, Clock)
    wiring.clock.now += timedelta(days=14)
    await run(loop)
    (since,) = asked
    assert since is not None
    assert since - begun < timedelta(minutes=1) - timedelta(days=1)


async def test_a_clock_that_was_not_set_yet_keeps_the_journal_from_forgetting_no_longer_than_that(
    wiring: Wiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[datetime | None] = []
    monkeypatch.setattr(wiring.journal, "forget_oldest", asked.append)
    monkeypatch.setattr(Policy, "audited_s", 86_400)
    assert isinstance(wiring.clock, Clock)
    right, wiring.clock.now = wiring.clock.now, datetime(1970, 1, 1, tzinfo=UTC)
    loop = runner(wiring)
    wiring.clock.now = right
    await run(loop)
    (since,) = asked
    assert since is not None
    assert timedelta() <= wiring.clock() - since - timedelta(days=1) < timedelta(minutes=1)


async def test_a_fault_in_tidying_the_journal_is_told_and_the_loop_goes_on(
    wiring: Wiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: datetime | None) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(wiring.journal, "forget_oldest", fail)
    loop = runner(wiring)
    async with running(loop):
        await until_turns(loop, 1)
        assert "GW3006" in {finding.id for finding in loop.status.findings}
        loop.nudge()
        await until_turns(loop, 2)


async def test_stopping_finishes_the_wave_and_leaves_the_next(wiring: Wiring) -> None:
    begun = asyncio.Event()
    done = []

    class Slow(DryRun):
        async def apply(self, decision_id: str, action: Action, policy: Policy) -> None:  # noqa: ARG002
            begun.set()
            await asyncio.sleep(0.05)
            done.append(action)

    loop = runner(replace(wiring, hands=Hands((Slow(),))))
    async with running(loop):
        await begun.wait()
    assert done == list(MOVE.waves[0].actions)
    with reading(wiring.journal.place) as reader:
        resumed = reader.resume()
    assert resumed is not None
    assert resumed.state.fleet.loads == (Load(DETECT, 2, 4, 1_000),)


async def test_a_fault_in_deciding_leaves_what_runs_and_the_next_turn_tries_again(wiring: Wiring) -> None:
    calls = 0

    def decide(_policy: Policy, _snapshot: Snapshot, state: State, now: datetime) -> Decision:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise ZeroDivisionError
        return keep(state, now)

    loop = runner(replace(wiring, decide=decide))
    async with running(loop):
        await until_turns(loop, 1)
        failed = loop.status
        loop.nudge()
        await until_turns(loop, 2)
    assert [finding.id for finding in failed.findings] == ["GW3006"]
    assert not readiness(failed, NOW).ready
    assert readiness(loop.status, NOW).ready


async def test_what_is_found_at_rest_is_weighed_in_the_next_turn_and_noted_with_it(wiring: Wiring) -> None:
    found = Plan((Instances("a better one", "node-0", 1),))
    begun = threading.Event()

    def polish(*_: object) -> Plan | None:
        begun.set()
        return found

    def decide(_policy: Policy, _snapshot: Snapshot, state: State, now: datetime) -> Decision:
        rested = keep(state, now)
        after = replace(rested.state, rest_since=NOW - timedelta(hours=2), proposal=None)
        return replace(rested, proof=Proof.FEASIBLE, state=after)

    loop = runner(replace(wiring, decide=decide, polish=polish))
    async with running(loop):
        await until_turns(loop, 1)
        await asyncio.to_thread(begun.wait, 5)
        await asyncio.sleep(0.05)
        loop.nudge()
        await until_turns(loop, 2)
    with reading(wiring.journal.place) as reader:
        proposals = [decided.state.proposal for decided in reader.decisions()]
    assert proposals == [None, found]


def leaves_open(_policy: Policy, _snapshot: Snapshot, state: State, now: datetime) -> Decision:
    """A turn that leaves open why the fleet falls short, where it may and does not know it."""
    asks = state.left_open is not None and state.conflict is None
    return keep(replace(state, left_open="why?" if asks else state.left_open), now)


async def test_why_a_fleet_falls_short_is_found_once_a_turn_is_told_and_the_next_one_knows_it(wiring: Wiring) -> None:
    told, seen = list[int](), list[State]()

    def decide(policy: Policy, snapshot: Snapshot, state: State, now: datetime) -> Decision:
        seen.append(state)
        return leaves_open(policy, snapshot, state, now)

    def answer() -> tuple[Finding, ...]:
        told.append(loop.status.turns)
        return (FOUND_WHY,)

    loop = runner(replace(wiring, decide=decide, answer=answer))
    await run(loop, turns=3)
    assert told == [1]
    assert [state.conflict for state in seen[:3]] == [None, ("why?", (FOUND_WHY,)), ("why?", (FOUND_WHY,))]
    with reading(wiring.journal.place) as journal:
        assert [decided.state.conflict for decided in journal.decisions()][1] == ("why?", (FOUND_WHY,))


async def test_where_why_is_not_found_the_loop_goes_on_and_without_it_turns_are_to_find_it_themselves(
    wiring: Wiring,
) -> None:
    def answer() -> tuple[Finding, ...]:
        raise RuntimeError

    loop = runner(replace(wiring, decide=leaves_open, answer=answer))
    await run(loop, turns=2)
    assert not loop.status.failed
    alone = await turn(replace(wiring, decide=leaves_open), Memory(), Phases(TRACER), Stopping())
    assert alone.memory.state.left_open is None


async def test_each_phase_of_a_turn_is_a_span_below_the_turns_own(wiring: Wiring) -> None:
    recent = RecentSpans()
    loop = runner(wiring, recent)
    await run(loop)
    spans = {span.name: span for span in recent.spans()}
    assert list(spans) == ["policy", "collect", "decide", "journal", "verify", "act", "turn"]
    assert {span.parent_id for name, span in spans.items() if name != "turn"} == {spans["turn"].span_id}
    assert spans["decide"].attributes["gridwright.verdict"] == Verdict.CHANGE
    assert spans["turn"].attributes["gridwright.journal_digest"] == loop.status.digest


async def test_readiness_names_every_reason(wiring: Wiring) -> None:
    loop = runner(replace(wiring, load=lambda _: BROKEN))
    assert readiness(loop.status, NOW).reasons == ("the first turn is not done yet",)
    await run(loop)
    assert "no good policy yet" in readiness(loop.status, NOW).reasons[0]
    kept = replace(loop.status, in_force=InForce(policy(), (), NOW))
    assert readiness(kept, NOW).ready
    assert "stays in force" in readiness(kept, NOW).reasons[0]
    assert "the last turn ended at" in readiness(kept, NOW + timedelta(hours=1)).reasons[0]


async def test_a_watch_that_fails_does_not_end_the_loop(wiring: Wiring) -> None:
    def fail(_: Status) -> None:
        raise ZeroDivisionError

    loop = Runner(wiring, Memory(), tracer_provider(RecentSpans()).get_tracer("test"), fail)
    await run(loop, turns=2)
    assert not loop.status.failed
