"""Deciding again what was decided before: a journal's decisions must come out the same, byte for byte."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

import msgspec

from collectors.recording import decode, encode
from collectors.snapshot import Snapshot
from controller.decision import Decision, State
from controller.journal.reader import JournalReader
from controller.journal.records import Decided
from policy.resolved import Policy
from policy.source import Loaded

Decide = Callable[[Policy, Snapshot, State, datetime], Decision]
LoadDocuments = Callable[[Iterable[tuple[str, str]]], Loaded]


@dataclass(frozen=True, slots=True)
class Difference:
    """A field of a decision that came out otherwise; both sides as JSON text."""

    field: str
    recorded: str
    replayed: str


@dataclass(frozen=True, slots=True)
class Replayed:
    """One decision replayed; `differences` is empty when it is the same. `trouble` tells why it could not be."""

    decision: str
    at: datetime
    differences: tuple[Difference, ...] = ()
    trouble: str = ""


def replay(reader: JournalReader, decide: Decide, load_documents: LoadDocuments) -> Iterator[Replayed]:
    """Every decision of the journal, oldest first. Raises JournalError when the journal cannot be read."""
    policies: dict[str, Policy | None] = {}
    for decided in reader.decisions():
        if decided.policy_revision not in policies:
            policies.clear()
            policies[decided.policy_revision] = load_documents(reader.documents(decided)).policy
        yield again(decided, policies[decided.policy_revision], decide)


def again(decided: Decided, policy: Policy | None, decide: Decide) -> Replayed:
    """One decision again; `policy` is what its documents say, None when this release finds errors in them."""
    if policy is None:
        trouble = "this release finds errors in the policy behind it: replay with the release that decided"
        return Replayed(decided.decision, decided.at, trouble=trouble)
    encoded = encode(decide(policy, decided.snapshot, decided.state, decided.at))
    recorded = bytes(decided.result)
    if encoded == recorded:
        return Replayed(decided.decision, decided.at)
    return Replayed(decided.decision, decided.at, _differences(recorded, encoded))


def _differences(recorded: bytes, replayed: bytes) -> tuple[Difference, ...]:
    fields = dict[str, msgspec.Raw]
    before, after = msgspec.json.decode(recorded, type=fields), msgspec.json.decode(replayed, type=fields)
    before.setdefault("links_millicents_per_hour", msgspec.Raw(b"0"))  # an earlier release knew no link with a price
    if "state" in before:
        # What a later release remembers besides stands at its default in what an earlier one wrote.
        before["state"] = msgspec.Raw(encode(decode(bytes(before["state"]), State)))
    return tuple(
        Difference(name, bytes(before.get(name, b"")).decode(), bytes(after.get(name, b"")).decode())
        for name in sorted({*before, *after})
        if bytes(before.get(name, b"")) != bytes(after.get(name, b""))
    )
