"""What was written down while replicas were killed, read back in the order in which it happened, by no code of theirs.

`record.jsonl` is the watcher's, `notes.jsonl` the stand-ins', `audit.log` the API server's, `rounds.jsonl` tells of the
kills.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

Line = Mapping[str, Any]
TERM = "gridwright-term"
CREATED, TOO_MANY = 201, 429
POOL = "gridwright.dev/pool"
LEASE = "gridwright-system/gridwright"
WATCHED_LEASES = "/apis/coordination.k8s.io/v1/leases"


@dataclass(frozen=True, slots=True)
class Write:
    """A write of a leader that the API server took: between which instants, in which term, of what.

    `verb` is `create` of an apply, too, that made the object. `version` is what the object has by it: 0 where it had it
    before, None where the answer does not tell.
    """

    began_at: float
    done_at: float
    term: int
    verb: str
    what: str
    name: str
    version: int | None


@dataclass(frozen=True, slots=True)
class Led:
    """From when on, by the lease, somebody leads in a term."""

    at: float
    term: int
    holder: str


@dataclass(frozen=True)
class Seen:
    """All that was written down."""

    folder: Path

    @cached_property
    def rounds(self) -> tuple[Line, ...]:
        """The kills, the changes, and what was planned when all was settled."""
        return tuple(_lines(self.folder / "rounds.jsonl"))

    @cached_property
    def notes(self) -> tuple[Line, ...]:
        """What was done to servers and gateways."""
        return tuple(sorted(_lines(self.folder / "notes.jsonl"), key=lambda note: float(note["at"])))

    @cached_property
    def changes(self) -> tuple[Line, ...]:
        """Each change of each object, once, by its version."""
        known: dict[tuple[str, int, str], Line] = {}
        for line in _lines(self.folder / "record.jsonl"):
            metadata = line["object"]["metadata"]
            how = "DELETED" if line["type"] == "DELETED" else ""
            known.setdefault((metadata["uid"], int(metadata["resourceVersion"]), how), line)
        return tuple(sorted(known.values(), key=lambda line: int(line["object"]["metadata"]["resourceVersion"])))

    @cached_property
    def writes(self) -> tuple[Write, ...]:
        """What leaders wrote, tries aside, as the API server noted it."""
        stored_at = {int(line["object"]["metadata"]["resourceVersion"]): line["at"] for line in self.changes}
        return tuple(_writes(_lines(self.folder / "audit.log"), stored_at))

    @cached_property
    def kept_by_budgets(self) -> tuple[tuple[float, str], ...]:
        """When the eviction of which pod was refused, as a disruption budget was against it."""
        return tuple(
            (_instant(event["stageTimestamp"]), f"{event['objectRef']['namespace']}/{event['objectRef']['name']}")
            for event in _lines(self.folder / "audit.log")
            if event.get("objectRef", {}).get("subresource") == "eviction"
            and event["responseStatus"]["code"] == TOO_MANY
        )

    @cached_property
    def terms(self) -> tuple[Led, ...]:
        """Who led from when on."""
        found: dict[int, Led] = {}
        for line in self.of(WATCHED_LEASES):
            spec = line["object"]["spec"]
            if name_of(line["object"]) == LEASE and spec.get("holderIdentity"):
                led = Led(line["at"], spec["leaseTransitions"], spec["holderIdentity"])
                found.setdefault(led.term, led)
        return tuple(sorted(found.values(), key=lambda led: led.term))

    @cached_property
    def pool_of(self) -> Mapping[str, str]:
        """The pool of each node that ever was."""
        nodes = [line["object"]["metadata"] for line in self.of("/api/v1/nodes")]
        return {node["name"]: node["labels"][POOL] for node in nodes if POOL in node.get("labels", {})}

    def of(self, path: str) -> Iterator[Line]:
        """The changes of one kind of object."""
        return (line for line in self.changes if line["kind"] == path)

    def term_at(self, at: float) -> int:
        """The term at an instant; 0 before the first."""
        return max((led.term for led in self.terms if led.at <= at), default=0)


def name_of(what: Mapping[str, Any]) -> str:
    """NAMESPACE/NAME, or the name alone."""
    metadata = what["metadata"]
    return "/".join(filter(None, (metadata.get("namespace"), metadata["name"])))


def _lines(file: Path) -> Iterator[Line]:
    """The lines of a file, but for a last one that is not whole."""
    for line in file.read_text().splitlines():
        if line.endswith("}"):
            yield json.loads(line)


def _writes(events: Iterator[Line], stored_at: Mapping[int, float]) -> Iterator[Write]:
    """An apply that finds all as it should be is answered with the version that was seen before it was asked for."""
    for event in events:
        term = event.get("impersonatedUser", {}).get("extra", {}).get(TERM)
        is_taken = 200 <= event.get("responseStatus", {}).get("code", 0) < 300
        if not term or not is_taken or "dryRun=All" in event["requestURI"]:
            continue
        what, answer = event["objectRef"], event.get("responseObject", {})
        version = int(answer.get("metadata", {}).get("resourceVersion") or 0) or None
        began_at = _instant(event["requestReceivedTimestamp"])
        if event["verb"] == "delete":
            version = None  # it is that of before
        elif version is not None and stored_at.get(version, began_at) < began_at:
            version = 0
        yield Write(
            began_at=began_at,
            done_at=_instant(event["stageTimestamp"]),
            term=int(term[0].partition(".")[0]),
            verb="create" if event["responseStatus"]["code"] == CREATED else event["verb"],
            what="/".join(filter(None, (what["resource"], what.get("subresource")))),
            name="/".join(filter(None, (what.get("namespace"), what.get("name")))),
            version=version,
        )


def _instant(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
