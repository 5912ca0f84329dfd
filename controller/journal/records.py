"""What the journal's entries say, and their canonical encoding."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec

from collectors.recording import encode
from collectors.snapshot import Snapshot
from controller.actions import Outcome
from controller.decision import Decision, State
from controller.journal.store import Draft, digest_text
from policy.resolved import Policy

DECIDED: Final = "decided"
ACTED: Final = "acted"


@dataclass(frozen=True, slots=True)
class Decided:
    """A turn up to its decision: everything `decide` was given and, encoded, what it gave back.

    `documents` are the policy's (name, digest of the text) in the order that they were loaded in. `policy_commit` is
    the git commit that they are from, empty where they are from elsewhere.
    """

    decision: str
    at: datetime
    policy_revision: str
    documents: tuple[tuple[str, str], ...]
    snapshot: Snapshot
    state: State
    result: msgspec.Raw
    policy_commit: str = ""


@dataclass(frozen=True, slots=True)
class Noted:
    """Of a decision, only when it was made: all else is passed over."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Acted:
    """What came of one wave (of none, when only knowledge changed), and what the loop remembers after it."""

    decision: str
    wave: str
    outcomes: tuple[msgspec.Raw, ...]
    state: State


def draft_decided(policy: Policy, snapshot: Snapshot, state: State, decision: Decision) -> Draft:
    """The entry for a decision, to be written before anything is acted on."""
    texts = tuple((digest_text(text), text) for _, text in policy.documents)
    names = tuple((name, digest_text(text)) for name, text in policy.documents)
    result = msgspec.Raw(encode(decision))
    body = Decided(decision.id, decision.at, policy.revision, names, snapshot, state, result, policy.commit)
    return Draft(DECIDED, decision.id, encode(body), policy.revision, texts)


def draft_acted(decision: Decision, wave: str, outcomes: tuple[Outcome, ...], state: State) -> Draft:
    """The entry for what came of a wave."""
    encoded = tuple(msgspec.Raw(encode(outcome)) for outcome in outcomes)
    body = Acted(decision.id, wave, encoded, state)
    return Draft(ACTED, decision.id, encode(body), decision.policy_revision)
