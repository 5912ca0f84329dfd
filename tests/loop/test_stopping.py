"""A controller that is told to end: what is not begun any more, how long the rest is waited for, and what is noted."""

import asyncio
import json
import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from opentelemetry.sdk.trace import TracerProvider

from controller.actions import STOPPED, WITHDRAW, Action, SetLoad, Transition, Unload, Wave
from controller.decision import State
from controller.fleet import Load
from controller.journal.reader import reading
from controller.loop import stopping
from controller.loop.at_work import Hands
from controller.loop.runner import Runner
from controller.loop.turn import Memory, Wiring
from policy.findings import Finding, Level
from policy.resolved import Policy
from policy.source import Loaded
from rules.kernel.problem import Placement
from tests.loop.building import DETECT, OLD_DETECT, move, policy
from tests.loop.test_given_up import hanging_wiring, waited
from tests.loop.test_hanging import Hanging
from tests.loop.wired import Seen

LOADS = tuple(Load(Placement(f"m{number}", "fp32", "edge"), 1, 1, 0) for number in range(6))
SOON_S = 5
"""Within this whoever ends at once has ended."""


@pytest.fixture
def waits_briefly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopping, "WAITED_S", 0.3)


async def ended(wiring: Wiring, once: Callable[[], bool]) -> Runner:
    """A loop that was told to end once something holds, and did."""
    runner = Runner(wiring, Memory(), TracerProvider().get_tracer("test"))
    running = asyncio.create_task(runner.run())
    await waited(once)
    runner.stop()
    async with asyncio.timeout(SOON_S):
        await running
    return runner


def noted(wiring: Wiring) -> list[tuple[str, str]]:
    """What the journal has of actions on models, with what became of each."""
    with reading(wiring.journal.place) as reader:
        found = [json.loads(bytes(raw)) for acted in reader.outcomes() for raw in acted.outcomes]
    placements = [each["action"].get("load", each["action"])["placement"]["model"] for each in found]
    return list(zip(placements, (each["error"] for each in found), strict=True))


class Upkeeping:
    """Counts how often it was asked before and after actions."""

    def __init__(self) -> None:
        self.prepared = 0
        self.kept = 0

    async def prepare(self, *_: object) -> tuple[Finding, ...]:
        self.prepared += 1
        return ()

    async def keep(self, *_: object, is_reached: bool) -> tuple[Finding, ...]:  # noqa: ARG002
        self.kept += 1
        return ()


@pytest.mark.usefixtures("waits_briefly")
async def test_what_takes_too_long_is_given_up_and_noted_and_whoever_is_next_starts_from_that(wiring: Wiring) -> None:
    hanging = Hanging(DETECT, gives_up=False)
    here = hanging_wiring(wiring, hanging, move(State()))
    await ended(here, lambda: bool(hanging.asked))
    assert noted(here) == [(DETECT.model, STOPPED)]
    assert hanging.ended == [(DETECT, "")], "nothing is left under way"
    with reading(here.journal.place) as reader:
        resumed = reader.resume()
        assert list(reader.verify_chain()) == []
    assert resumed is not None
    assert resumed.state.fleet.loads == (), "what was not seen to be done is not taken for done"
    assert not resumed.state.is_late, "no way took too long for what requests go over"
    assert [(each.placement, each.times) for each in resumed.state.hung] == [(DETECT, 0)], "it may come"


async def test_what_ends_in_time_is_noted_as_done(wiring: Wiring) -> None:
    class Slow(Hanging):
        async def apply(self, decision_id: str, action: Action, policy: Policy) -> None:
            await super().apply(decision_id, action, policy)
            await asyncio.sleep(0.3)

    slow = Slow()
    here = hanging_wiring(wiring, slow, move(State()))
    await ended(here, lambda: bool(slow.asked))
    assert noted(here) == [(DETECT.model, "")], "and the next wave is not begun"


@pytest.mark.usefixtures("waits_briefly")
async def test_of_a_wave_nothing_is_begun_any_more(wiring: Wiring) -> None:
    go_on, asked = asyncio.Event(), list[Action]()

    class Held(Hanging):
        async def apply(self, decision_id: str, action: Action, policy: Policy) -> None:  # noqa: ARG002
            asked.append(action)
            await (asyncio.Event() if action == SetLoad(LOADS[0]) else go_on).wait()

    def two() -> bool:
        if len(asked) == 2:
            go_on.set()
            return True
        return False

    decision = replace(move(State()), transition=Transition((Wave("grow", tuple(map(SetLoad, LOADS))),)))
    here = hanging_wiring(wiring, Hanging(), decision, hands=Hands((Held(),), at_once=2))
    await ended(here, two)
    assert asked == [SetLoad(LOADS[0]), SetLoad(LOADS[1])]
    assert noted(here) == [("m0", STOPPED), ("m1", "")], "of the others there is nothing"


@pytest.mark.usefixtures("waits_briefly")
async def test_what_is_unloaded_aside_is_waited_for_no_longer_than_the_rest(wiring: Wiring) -> None:
    hanging = Hanging(DETECT, OLD_DETECT, gives_up=False)
    waves = (Wave(WITHDRAW, (Unload(OLD_DETECT),)), Wave("grow", (SetLoad(Load(DETECT, 2, 4, 1_000)),)))
    here = hanging_wiring(wiring, hanging, replace(move(State()), transition=Transition(waves)))
    await ended(here, lambda: len(hanging.asked) == 2)
    assert {error for _, error in noted(here)} == {STOPPED}
    assert sorted(hanging.ended) == sorted([(DETECT, ""), (OLD_DETECT, "")])


@pytest.mark.usefixtures("waits_briefly")
async def test_a_look_amid_a_wave_holds_the_end_up_no_longer_either(wiring: Wiring) -> None:
    hanging, looks = Hanging(DETECT, gives_up=False), []
    (servers,) = wiring.servers

    class Slow(Seen):
        async def collect(self, now: object) -> object:  # type: ignore[override]
            if hanging.asked:
                looks.append(now)
                await asyncio.sleep(60)
            return await servers.collect(now)  # type: ignore[arg-type]

    here = hanging_wiring(wiring, hanging, move(State()), servers=(Slow("servers"),), collect_deadline_s=60)
    await ended(here, lambda: bool(looks))
    assert [error for _, error in noted(here)] == [STOPPED]


async def test_who_only_looks_ends_at_once_and_notes_nothing(wiring: Wiring) -> None:
    slow = Seen("servers", delay_s=60)
    here = replace(wiring, collectors=(slow,), collect_deadline_s=60)
    runner = await ended(here, lambda: slow.asked > 0)
    assert runner.status.turns == 0
    with reading(here.journal.place) as reader:
        assert list(reader.decisions()) == []


async def test_a_decision_that_is_being_made_is_neither_noted_nor_acted_on(wiring: Wiring) -> None:
    deciding, go_on = threading.Event(), threading.Event()
    hanging = Hanging()

    def decide(_policy: object, _snapshot: object, state: State, *_: object) -> object:
        deciding.set()
        go_on.wait(SOON_S)
        return move(state)

    runner = Runner(
        hanging_wiring(wiring, hanging, move(State()), decide=decide), Memory(), TracerProvider().get_tracer("test")
    )
    running = asyncio.create_task(runner.run())
    await waited(deciding.is_set)
    runner.stop()
    go_on.set()
    async with asyncio.timeout(SOON_S):
        await running
    assert hanging.asked == []
    with reading(wiring.journal.place) as reader:
        assert list(reader.decisions()) == []


async def test_the_look_before_the_first_wave_ends_at_once_and_nothing_is_begun_after_it(wiring: Wiring) -> None:
    hanging, upkeep, slow = Hanging(), Upkeeping(), Seen("servers", delay_s=60)
    here = hanging_wiring(wiring, hanging, move(State()), servers=(slow,), collect_deadline_s=60, upkeep=upkeep)
    runner = await ended(here, lambda: slow.asked > 0)
    assert hanging.asked == []
    assert (upkeep.prepared, upkeep.kept) == (1, 0)
    assert noted(here) == []
    assert runner.status.decision is not None


async def test_parts_that_are_being_made_ready_are_finished_and_no_wave_is_begun(wiring: Wiring) -> None:
    preparing, go_on = [], asyncio.Event()

    class Slow(Upkeeping):
        async def prepare(self, *_: object) -> tuple[Finding, ...]:
            preparing.append(None)
            await asyncio.sleep(0.2)
            go_on.set()
            return ()

    hanging = Hanging()
    await ended(hanging_wiring(wiring, hanging, move(State()), upkeep=Slow()), lambda: bool(preparing))
    assert go_on.is_set()
    assert hanging.asked == []


async def test_evidence_that_is_revoked_meanwhile_is_not_waited_for(wiring: Wiring) -> None:
    """The lease is free the sooner: whoever is next takes requests off first."""
    hanging, found = Hanging(DETECT, gives_up=False), list[Finding]()
    here = hanging_wiring(
        wiring, hanging, move(State()), recheck=lambda *_: tuple(found), load=lambda _: Loaded(policy(interval_s=1))
    )

    def under_way() -> bool:
        if hanging.asked:
            found.append(Finding("GW1001", Level.ERROR, "it may not serve there", "nothing"))
        return bool(hanging.asked)

    await ended(here, under_way)
    ((_, error),) = noted(here)
    assert error
    assert error != STOPPED
