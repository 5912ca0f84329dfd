"""The hash chain: each entry's digest covers the entry and the digest before it, so no past entry can change unseen.

What the chain cannot show is that entries are missing at its end; whoever needs that notes the last digest elsewhere
(it is an attribute of each turn's span).
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from policy.findings import Finding, Level

GENESIS: Final = bytes(32)
"""What stands before the first entry ever written."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One row. `body` is canonical JSON; `sequence` counts from 1."""

    sequence: int
    kind: str
    decision: str
    body: bytes
    previous: bytes
    digest: bytes


def digest_of(previous: bytes, sequence: int, kind: str, decision: str, body: bytes) -> bytes:
    """SHA-256 over the previous digest and every field, each preceded by its length."""
    digest = hashlib.sha256(previous)
    for part in (str(sequence).encode(), kind.encode(), decision.encode(), body):
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()


def breaks(entries: Iterable[Entry], start: bytes) -> Iterable[Finding]:
    """A finding for each entry that is not what was written or does not follow the one before it.

    `start` is the digest that the first entry must follow.
    """
    previous, sequence = start, 0
    for entry in entries:
        if sequence and entry.sequence != sequence + 1:
            yield _broken(entry, f"entries {sequence + 1} to {entry.sequence - 1} are missing before it")
        elif entry.previous != previous:
            yield _broken(entry, "it does not follow the entry before it")
        if entry.digest != digest_of(entry.previous, entry.sequence, entry.kind, entry.decision, entry.body):
            yield _broken(entry, "it is not what was written")
        previous, sequence = entry.digest, entry.sequence


def _broken(entry: Entry, what: str) -> Finding:
    return Finding(
        "GW3010",
        Level.ERROR,
        f"journal entry {entry.sequence}: {what}",
        "compare with a backup of the journal, and find out who may write to the file",
        subject=entry.decision,
    )
