"""When a search for a better plan begins and ends, and what becomes of what it finds."""

import asyncio
import threading
from dataclasses import replace
from datetime import datetime, timedelta

from building import NOW, keep, policy, snapshot

from collectors.snapshot import Snapshot
from controller.decision import Proof, State
from controller.loop.policies import InForce
from controller.loop.polishing import REST, Polishing
from controller.loop.turn import Memory, Turned
from policy.resolved import Policy
from rules.kernel.plan import Instances, Plan

FOUND = Plan((Instances("a better one", "node-0", 1),))


class Search:
    """Stands in for the planner: finds a plan when it is let, or ends when it is told to."""

    def __init__(self, found: Plan | None = FOUND) -> None:
        self.found = found
        self.begun = 0
        self.told_to_stop = False
        self.let = threading.Event()

    def __call__(
        self, _policy: Policy, _snapshot: Snapshot, _state: State, _now: datetime, stop: threading.Event
    ) -> Plan | None:
        self.begun += 1
        while not self.let.wait(0.005):
            if stop.is_set():
                self.told_to_stop = True
                return None
        return self.found


def turned(since: datetime | None, proof: Proof = Proof.FEASIBLE) -> Turned:
    state = State(rest_since=since)
    decision = replace(keep(state), proof=proof)
    return Turned(Memory(InForce(policy(), (), NOW), state), snapshot(), decision)


async def ended(polishing: Polishing, now: datetime) -> Plan | None:
    for _ in range(400):
        if (found := polishing.proposal(now)) is not None:
            return found
        await asyncio.sleep(0.005)
    return None


async def test_a_search_begins_after_a_minute_at_rest_and_its_plan_is_told_once() -> None:
    search = Search()
    search.let.set()
    polishing = Polishing(search)
    polishing.look(turned(NOW), NOW + REST - timedelta(seconds=1))
    assert await asyncio.sleep(0.02, search.begun) == 0
    polishing.look(turned(NOW), NOW + REST)
    assert await ended(polishing, NOW + REST) == FOUND
    assert polishing.proposal(NOW + REST) is None
    assert search.begun == 1


async def test_a_search_begins_again_after_the_clock_was_set_back() -> None:
    search = Search()
    search.let.set()
    polishing, later = Polishing(search), NOW + timedelta(days=14)
    polishing.look(turned(later), later + REST)
    assert await ended(polishing, later + REST) == FOUND
    for passed in (timedelta(), 2 * REST):
        polishing.look(turned(NOW), NOW + passed)
    assert await ended(polishing, NOW + 2 * REST) == FOUND
    assert search.begun == 2


async def test_where_the_plan_is_proven_to_be_the_best_none_is_sought() -> None:
    search = Search()
    polishing = Polishing(search)
    polishing.look(turned(NOW, Proof.OPTIMAL), NOW + REST)
    await asyncio.sleep(0.02)
    assert search.begun == 0


async def test_a_search_waits_while_a_turn_is_under_way() -> None:
    asked: list[str] = []
    turn_is_on, searched = threading.Event(), threading.Event()

    def search(_policy: Policy, _snapshot: Snapshot, _state: State, _now: datetime, stop: threading.Event) -> Plan:
        turn_is_on.wait()
        stop.is_set()
        asked.append("search")
        searched.set()
        return FOUND

    polishing = Polishing(search)
    polishing.look(turned(NOW), NOW + REST)
    with polishing.held():
        turn_is_on.set()
        assert not await asyncio.to_thread(searched.wait, 0.1)
        asked.append("turn")
    assert await ended(polishing, NOW + REST) == FOUND
    assert asked == ["turn", "search"]


async def test_a_search_ends_and_is_forgotten_when_the_fleet_changes() -> None:
    search = Search()
    polishing = Polishing(search)
    polishing.look(turned(NOW), NOW + REST)
    await asyncio.sleep(0.02)
    polishing.look(turned(None), NOW + REST)
    await polishing.close()
    assert search.told_to_stop
    assert polishing.proposal(NOW + REST) is None


async def test_the_next_search_waits_twice_as_long() -> None:
    search = Search()
    search.let.set()
    polishing = Polishing(search)
    polishing.look(turned(NOW), NOW + REST)
    assert await ended(polishing, NOW + REST) is not None
    for rest, begun in ((2 * REST, 1), (3 * REST, 2)):
        polishing.look(turned(NOW), NOW + rest)
        await asyncio.sleep(0.05)
        assert search.begun == begun


async def test_a_search_that_fails_leaves_the_loop_as_it_was() -> None:
    def failing(*_: object) -> Plan | None:
        raise ZeroDivisionError

    polishing = Polishing(failing)
    polishing.look(turned(NOW), NOW + REST)
    await asyncio.sleep(0.05)
    assert polishing.proposal(NOW + REST) is None
    await polishing.close()
