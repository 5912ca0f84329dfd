"""What an independent watcher holds against replicas: actions twice, lost, late, out of order, or against a rule."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from tests.cluster.watcher.rules import Holding, broken, rules_of
from tests.cluster.watcher.seen import Line, Seen, name_of

WITHIN_S = 15.0
KEEPS = 3
"""So many turns that keep all are waited for."""
KEPT_S = 15.0
"""How long after a budget refused an eviction a server may stand; it is tried again at each turn."""
LEFT_S = 15.0
"""What the next leader does so soon was left to it."""
EVENTS = "/apis/events.k8s.io/v1/events"


@dataclass(frozen=True, slots=True)
class Takeover:
    """A kill: after how many seconds the lease was another's, and somebody acted.

    It was `amid` a transition when the one that was killed had done something since the last change, and the next one
    had something left to do; `before` when only the latter.
    """

    at: float
    leased_s: float
    acted_s: float
    amid: bool
    before: bool


@dataclass(frozen=True, slots=True)
class Judged:
    """What was seen, and by its name each thing that must not be, with where it was."""

    takeovers: tuple[Takeover, ...]
    actions: int
    writes: int
    changes: int
    breaches: dict[str, tuple[str, ...]]

    @property
    def is_clean(self) -> bool:
        """Whether nothing was seen that must not be."""
        return not any(self.breaches.values())


def judged(seen: Seen, certified_sites: frozenset[str]) -> Judged:
    """All of it."""
    takeovers = tuple(takeovers_of(seen))
    return Judged(
        takeovers,
        actions=len(actions(seen)),
        writes=len(seen.writes),
        changes=len(seen.changes),
        breaches={
            "twice": tuple(twice(seen)),
            "lost": tuple(lost(seen)),
            "late": tuple(f"{each.at:.3f}: {each.acted_s:.1f} s" for each in takeovers if each.acted_s > WITHIN_S),
            "out of order": tuple(out_of_order(seen)),
            "against a rule": tuple(broken(seen, rules_of(seen, certified_sites))),
        },
    )


def actions(seen: Seen) -> list[float]:
    """When something was done to a fleet: servers made or removed, loads, unloads, routes."""
    written = [
        each.done_at for each in seen.writes if each.what in {"statefulsets", "pods/eviction"} and each.version != 0
    ]
    noted = [note["at"] for note in seen.notes if _is_call(note)]
    return sorted(written + noted)


def _is_call(note: Line) -> bool:
    return note["what"] in {"unload", "routes"} or (note["what"] == "load" and not note["done"])


def takeovers_of(seen: Seen) -> Iterator[Takeover]:
    """What came of each kill. A leader that finds nothing to do acts by deciding so, which the rounds tell."""
    done = actions(seen)
    for kill in (line for line in seen.rounds if line["what"] == "kill"):
        at = kill["at"]
        term = seen.term_at(at)
        leased = next((led.at for led in seen.terms if led.term > term), math.inf)
        decided = next((line["at"] for line in seen.rounds if line["what"] == "led" and line["at"] > at), math.inf)
        acted = [each.done_at for each in seen.writes if each.term > term and each.done_at > at]
        acted += [note["at"] for note in seen.notes if _is_call(note) and note["at"] > leased]
        changed = max(line["at"] for line in seen.rounds if line["what"] == "change" and line["at"] <= at)
        is_begun = any(changed < each <= at for each in done)
        is_left = any(leased < each < leased + LEFT_S for each in done)
        yield Takeover(at, leased - at, min([decided, *acted]) - at, is_begun and is_left, is_left and not is_begun)


def out_of_order(seen: Seen) -> Iterator[str]:
    """Writes of a term that came after one of a later term, in the order of what the API server stored."""
    stored = sorted((each for each in seen.writes if each.version), key=lambda each: each.version or 0)
    latest = 0
    for write in stored:
        if write.term < latest:
            yield f"{write.done_at:.3f}: {write.verb} {write.what} {write.name} in term {write.term}, after {latest}"
        latest = max(latest, write.term)
    first: dict[int, float] = {}
    for write in seen.writes:
        first[write.term] = min(first.get(write.term, write.done_at), write.done_at)
    for write in seen.writes:
        if any(term > write.term and at < write.began_at for term, at in first.items()):
            yield f"{write.done_at:.3f}: {write.verb} {write.what} {write.name} began after a later term wrote"


def twice(seen: Seen) -> Iterator[str]:
    """What was done again though it was done: by what the servers held, and what was told."""
    for note in seen.notes:
        if note["what"] in {"load", "unload"} and not note["is_new"] and not note.get("done"):
            yield f"{note['at']:.3f}: {note['what']} of {note['model']} on {note['node']}, which was so already"
    yield from _again(seen)
    yield from _told_twice(seen)


def _again(seen: Seen) -> Iterator[str]:
    """What one leader did and the next one did anew, though nothing had happened that asked for it to be undone."""
    turns = [line["at"] for line in seen.rounds if line["what"] == "change"]
    done: dict[Deed, tuple[int, int]] = {}
    for at, term, deed in sorted(_deeds(seen)):
        period = sum(turn <= at for turn in turns)
        if deed.what in {"start", "end"}:
            done = {each: by for each, by in done.items() if each.where != deed.where}
            continue
        before = done.get(deed, (-1, 0))
        if before[0] == period and before[1] != term:
            yield f"{at:.3f}: {' '.join(filter(None, deed))} again, in term {term}"
        done[deed] = period, term


class Deed(NamedTuple):
    """What was done, to what, where, and how it was to be."""

    what: str
    of: str
    where: str = ""
    how: str = ""


def _deeds(seen: Seen) -> Iterator[tuple[float, int, Deed]]:
    """When, and in which term."""
    for note in seen.notes:
        if note["what"] in {"start", "end"} or (_is_call(note) and note["what"] != "routes"):
            deed = Deed(note["what"], note.get("model", ""), note["node"], str(note.get("config", "")))
            yield note["at"], seen.term_at(note["at"]), deed
    for write in seen.writes:
        if write.verb in {"create", "delete"} and write.version != 0 and write.what != "events":
            yield write.done_at, write.term, Deed(write.verb, f"{write.what} {write.name}")


def _told_twice(seen: Seen) -> Iterator[str]:
    """Events that tell of a resource what was told of it last."""
    last: dict[tuple[str, str, str], str] = {}
    for line in seen.of(EVENTS):
        event = line["object"]
        if line["type"] != "ADDED" or event.get("reportingController") != "gridwright.dev/controller":
            continue
        about = event["regarding"]["kind"], event["regarding"]["name"], event.get("action", "")
        told = f"{event['type']} {event['reason']} {event['note'].partition(':')[0]}"
        if last.get(about) == told:
            yield f"{line['at']:.3f}: {' '.join(about)} was told twice: {told}, by {name_of(event)}"
        last[about] = told


def lost(seen: Seen) -> Iterator[str]:
    """What a plan had, and did not stand when all was settled; and what stood and was in no plan.

    A server that a budget keeps goes once it may.
    """
    holding, notes = Holding(), iter(seen.notes)
    pending = next(notes, None)
    for line in (each for each in seen.rounds if each["what"] == "settled"):
        at = line["at"]
        while pending is not None and pending["at"] <= at:
            holding.take(pending)
            pending = next(notes, None)
        planned = {
            (load["node"], f"{load['placement']['model']}--{load['placement']['variant']}"): load["instances"]
            for load in line["fleet"]["loads"]
        }
        kept = {name for refused_at, name in seen.kept_by_budgets if at - KEPT_S <= refused_at <= at}
        stands = {
            (node, model): count
            for (node, model), count in holding.settled().items()
            if (node, model) in planned or f"gridwright-{seen.pool_of[node]}/{node}-0" not in kept
        }
        if line["keeps"] < KEEPS:
            yield f"{at:.3f}: it did not settle"
        if stands != planned:
            yield (
                f"{at:.3f}: planned {sorted(planned.items() - stands.items())}, "
                f"and there stands {sorted(stands.items() - planned.items())}"
            )
        if sorted(map(str, line["routes"])) != sorted(map(str, line["fleet"]["routes"])):
            yield f"{at:.3f}: the gateways follow {line['routes']}, planned was {line['fleet']['routes']}"
