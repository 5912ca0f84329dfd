"""Deciding again what was decided before: a journal's decisions must come out the same, byte for byte.

What an earlier release wrote is compared as this one writes it, and the words of findings are told apart: another
release may put them otherwise and decide the same.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec

from collectors.recording import decode, encode
from collectors.snapshot import Snapshot
from controller.actions import SetLoad, SetRoutes, Unload
from controller.decision import Decision, State
from controller.fleet import Fleet
from controller.journal.reader import JournalReader
from controller.journal.records import Decided
from policy.findings import Finding
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
    """One decision replayed; `differences` is empty when it is the same. `trouble` tells why it could not be.

    With `reworded` it is the same, and findings tell of it in other words.
    """

    decision: str
    at: datetime
    differences: tuple[Difference, ...] = ()
    trouble: str = ""
    reworded: bool = False


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
    before, after = _fields(recorded), _fields(encoded)
    differences = tuple(
        Difference(name, before.get(name, b"").decode(), after.get(name, b"").decode())
        for name in sorted({*before, *after})
        if _without_words(name, before.get(name, b"")) != _without_words(name, after.get(name, b""))
    )
    return Replayed(decided.decision, decided.at, differences, reworded=not differences and before != after)


def _fields(result: bytes) -> dict[str, bytes]:
    """The fields of a decision; what a later release knows besides stands at its default in what an earlier wrote."""
    fields = {name: bytes(raw) for name, raw in msgspec.json.decode(result, type=dict[str, msgspec.Raw]).items()}
    fields.setdefault("links_millicents_per_hour", b"0")  # an earlier release knew no link with a price
    for name, kind in (("state", State), ("fleet", Fleet)):
        if name in fields:
            fields[name] = encode(decode(fields[name], kind))
    if "transition" in fields:
        fields["transition"] = _transition(fields["transition"])
    return fields


def _transition(raw: bytes) -> bytes:
    """JSON does not tell actions apart by name: each has a field that no other has."""
    kinds = {"load": SetLoad, "placement": Unload, "routes": SetRoutes}
    read = msgspec.json.decode(raw)
    for wave in read["waves"]:
        wave["actions"] = [
            msgspec.convert(each, next(kind for field, kind in kinds.items() if field in each))
            for each in wave["actions"]
        ]
    return encode(read)


def _without_words(name: str, raw: bytes) -> bytes:
    """A field without the messages and hints of its findings."""
    if name == "findings" and raw:
        return encode(_wordless(decode(raw, tuple[Finding, ...])))
    if name == "state" and raw:
        state = decode(raw, State)
        asked = state.conflict and (state.conflict[0], _wordless(state.conflict[1]))
        return encode(replace(state, conflict=asked))
    return raw


def _wordless(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    return tuple(replace(each, message="", hint="") for each in findings)
