"""Replay: the same inputs must give the same decision, and what differs is named."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import msgspec

from collectors.recording import encode
from collectors.snapshot import Snapshot
from controller.decision import Decision, State
from controller.journal.reader import reading
from controller.journal.records import Decided
from controller.journal.writer import Journal
from controller.replay import Decide, Replayed, again, replay
from policy.resolved import Policy
from policy.source import Loaded
from tests.loop.building import DOCUMENTS, move, policy, snapshot


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
    decision = move(State())
    written = encode(decision)
    earlier = written.replace(b',"interference":[],"crowding":[]', b"")
    assert earlier != written
    decided = Decided(decision.id, decision.at, decision.policy_revision, (), snapshot(), State(), msgspec.Raw(earlier))
    assert again(decided, policy(), lambda _p, _s, state, now: move(state, now)).differences == ()


def test_a_policy_that_this_release_refuses_is_said_so(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "j.db")
    journal.decided(policy(), snapshot(), State(), move(State()))
    journal.close()
    with reading(tmp_path / "j.db") as reader:
        (found,) = replay(reader, lambda _p, _s, state, now: move(state, now), lambda _: Loaded(None, ()))
    assert "the release that decided" in found.trouble
