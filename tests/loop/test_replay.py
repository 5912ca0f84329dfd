"""Replay: the same inputs must give the same decision, and what differs is named."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import msgspec
import pytest

from collectors.recording import encode
from collectors.snapshot import Snapshot
from controller.decision import Decision, State
from controller.journal.reader import reading
from controller.journal.records import Decided
from controller.journal.writer import Journal
from controller.replay import Decide, Replayed, again, replay
from policy.findings import Finding, Level
from policy.resolved import Policy
from policy.source import Loaded
from tests.loop.building import DOCUMENTS, NOW, move, policy, snapshot


def load_documents(texts: Iterable[tuple[str, str]]) -> Loaded:
    assert tuple(texts) == DOCUMENTS
    return Loaded(policy(), ())


def replayed(path: Path, decide: Decide) -> list[Replayed]:
    journal = Journal.open(path)
    state = State()
    for _ in range(2):
        decision = move(state)
        journal.decided(policy(), snapshot(), state, decision)
        state = decision.state
    journal.close()
    with reading(path) as reader:
        return list(replay(reader, decide, load_documents))


def compared(recorded: bytes, now_decided: Callable[[Decision], Decision]) -> Replayed:
    """A first decision as it was recorded, against what is decided now instead of `move`."""
    decided = Decided("d1", NOW, "r1", (), snapshot(), State(), msgspec.Raw(recorded))
    return again(decided, policy(), lambda _p, _s, state, now: now_decided(move(state, now)))


def test_a_decision_that_comes_out_the_same_has_no_differences(tmp_path: Path) -> None:
    found = replayed(tmp_path / "j.db", lambda _policy, _snapshot, state, now: move(state, now))
    assert [(item.decision, item.differences, item.trouble) for item in found] == [("d1", (), ""), ("d2", (), "")]


def test_what_comes_out_otherwise_is_named_with_both_sides(tmp_path: Path) -> None:
    def dearer(_policy: Policy, _snapshot: Snapshot, state: State, now: datetime) -> Decision:
        return replace(move(state, now), cost_millicents_per_hour=41_000)

    (difference,) = replayed(tmp_path / "j.db", dearer)[0].differences
    assert (difference.field, difference.recorded, difference.replayed) == (
        "cost_millicents_per_hour",
        "40000",
        "41000",
    )


def test_a_decision_of_a_release_that_remembered_less_replays_the_same() -> None:
    written = encode(move(State()))
    earlier = written.replace(b',"interference":[],"crowding":[]', b"")
    assert earlier != written
    assert compared(earlier, lambda decision: decision) == Replayed("d1", NOW)


def test_a_decision_of_a_release_that_knew_no_encodings_replays_the_same() -> None:
    written = encode(move(State()))
    unknown = b',"encodings":[]'
    assert written.count(unknown) == 3  # in the fleet, on the way to it, and in what is remembered
    assert compared(written.replace(unknown, b""), lambda decision: decision) == Replayed("d1", NOW)


def test_a_decision_of_a_release_that_knew_no_nodes_of_servers_replays_the_same() -> None:
    written = encode(move(State()))
    unknown = (b',"parts":[]', b',"node":""')
    assert [written.count(each) for each in unknown] == [3, 4]  # in both fleets, and on the way, which unloads as well
    for each in unknown:
        written = written.replace(each, b"")
    assert compared(written, lambda decision: decision) == Replayed("d1", NOW)


TOLD = Finding("GW2011", Level.WARNING, "vad is refused", "add a node")


@pytest.mark.parametrize(
    ("now_told", "field"),
    [
        (replace(TOLD, message="of vad 3 % are refused"), None),
        (replace(TOLD, hint="add two nodes"), None),
        (replace(TOLD, level=Level.ERROR), "findings"),
        (replace(TOLD, subject="vad"), "findings"),
    ],
)
def test_other_words_are_told_apart_from_another_decision(now_told: Finding, field: str | None) -> None:
    before = move(State())
    recorded = replace(before, findings=(TOLD,), state=replace(before.state, conflict=("question", (TOLD,))))
    found = compared(
        encode(recorded),
        lambda _: replace(
            recorded, findings=(now_told,), state=replace(before.state, conflict=("question", (now_told,)))
        ),
    )
    assert {item.field for item in found.differences} == ({field, "state"} if field else set())
    assert found.reworded == (field is None)


def test_a_policy_that_this_release_refuses_is_said_so(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "j.db")
    journal.decided(policy(), snapshot(), State(), move(State()))
    journal.close()
    with reading(tmp_path / "j.db") as reader:
        (found,) = replay(reader, lambda _p, _s, state, now: move(state, now), lambda _: Loaded(None, ()))
    assert "the release that decided" in found.trouble
