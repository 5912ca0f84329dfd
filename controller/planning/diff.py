"""What a plan changes, in the words of the fleet."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from controller.fleet import Fleet, Load, RouteSet, Way


class Kind(StrEnum):
    """What happens to a load or to a demand's routes."""

    ADD = "add"
    CHANGE = "change"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two fleets; `before` and `after` are for people, empty where there is none."""

    kind: Kind
    subject: str
    before: str
    after: str


def diff(current: Fleet, target: Fleet) -> tuple[Change, ...]:
    """Every difference, loads first, sorted by subject. Nothing when the fleets are the same."""
    loads_before = {str(load): _load_text(load) for load in current.loads}
    loads_after = {str(load): _load_text(load) for load in target.loads}
    routes_before = {f"{r.service}@{r.origin}": _routes_text(r) for r in current.routes if r.ways}
    routes_after = {f"{r.service}@{r.origin}": _routes_text(r) for r in target.routes if r.ways}
    return (*_changes(loads_before, loads_after), *_changes(routes_before, routes_after))


def _changes(before: dict[str, str], after: dict[str, str]) -> list[Change]:
    changes = []
    for subject in sorted({*before, *after}):
        old, new = before.get(subject, ""), after.get(subject, "")
        if old != new:
            kind = Kind.ADD if not old else Kind.REMOVE if not new else Kind.CHANGE
            changes.append(Change(kind, subject, old, new))
    return changes


def _load_text(load: Load) -> str:
    batching = f", batches of {load.max_batch}" if load.max_batch > 1 else ""
    return f"{load.instances} instance{'s' if load.instances != 1 else ''}{batching}"


def _routes_text(routes: RouteSet) -> str:
    return "; ".join(f"{way.weight_permille / 10:g} % {' -> '.join(_stops(way))}" for way in routes.ways)


def _stops(way: Way) -> Iterator[str]:
    for at, placement in enumerate(way.placements):
        sent = f" as {way.encoding(at)}" if way.encoding(at) else ""
        yield f"{placement.variant}@{placement.pool}{sent}"
