"""What a plan comes to in the rows of a form, brought from one plan to the next by what differs between the two.

Plans that are looked at one after the other have nearly all in common, and rows name hundreds of thousands of paths.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self, TypeVar

from controller.planning.whole.reading import Hard, Reading, keeps, within
from rules.kernel.formulation import Budget, Distinct, Flow, Resource
from rules.kernel.problem import WHOLE_PERMILLE

Key = TypeVar("Key", bound=Hashable)

Places = Mapping[str, Sequence[int]]
"""By name, the rows that speak of it, each by its place."""
Terms = Mapping[str, Sequence[tuple[int, int]]]
"""By name, the rows that sum it, each with its factor."""


@dataclass(frozen=True, slots=True)
class Index:
    """Where rows speak of what a plan has."""

    hard: Sequence[Hard]
    tops: Mapping[str, int]
    """The highest level of each service with a ladder."""
    flows: Terms
    """By option, path or demand."""
    spending: Terms
    """By node or path: the budgets, with the price in millicents an hour."""
    uses: Terms
    """By option: the resources, with what an instance takes."""
    groups: Mapping[tuple[str, str], Sequence[tuple[int, int]]]
    """By option and node: the rows of distinct groups, with the group."""
    touching: Places
    """By option, path, demand or node."""
    levels: Places
    """By service, and by path that only a level opens: what depends on the level."""


class Tally:
    """The sums of one plan at a time."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._at = Reading.made({}, {}, {}, {})
        self._stale: set[int] = set(range(len(index.hard)))
        self._broken: set[int] = set()
        self._held_by: Counter[str] = Counter()
        self.sums: Counter[int] = Counter()
        """By place, what a flow sums to, or thousandths of a millicent an hour of what a budget bounds."""
        self.taken: defaultdict[int, Counter[str]] = defaultdict(Counter)
        """By place, what instances take of a resource on each node."""
        self.held: defaultdict[int, Counter[int]] = defaultdict(Counter)
        """By place, how many of the pairs of each group hold an instance."""

    def of(self, at: Reading) -> Self:
        """The same, with the sums of a plan."""
        before, self._at = self._at, at
        if at is not before:
            self._stand(before, _changed(before.counts, at.counts))
            self._add(_changed(before.by_option, at.by_option))
            self._add(_changed(before.unserved, at.unserved))
            shares = _changed(before.shares, at.shares)
            self._add(shares)
            self._spend(shares)
            for service in _changed(before.levels, at.levels):
                self._stale.update(self._index.levels.get(service, ()))
        return self

    def broken(self, at: Reading) -> list[int]:
        """The places of the rows that a plan does not keep, in order."""
        self.of(at)
        self._broken -= self._stale
        self._broken.update(place for place in self._stale if not self._keeps(place))
        self._stale.clear()
        return sorted(self._broken)

    def _stand(self, before: Reading, changed: Mapping[tuple[str, str], int]) -> None:
        switched: dict[str, int] = {}
        for key, more in changed.items():
            option, node = key
            for place, use in self._index.uses.get(option, ()):
                self.taken[place][node] += more * use
            came = (key in self._at.counts) - (key in before.counts)
            for place, group in self._index.groups.get(key, ()) if came else ():
                self.held[place][group] += came
            was = self._held_by[node] > 0
            self._held_by[node] += came
            switched[node] = switched.get(node, 0) + (self._held_by[node] > 0) - was
            self._stale.update(self._index.touching.get(option, ()))
        self._spend({node: WHOLE_PERMILLE * change for node, change in switched.items() if change})

    def _add(self, changed: Mapping[str, int]) -> None:
        flows, touching = self._index.flows, self._index.touching
        for name, more in changed.items():
            self._stale.update(touching.get(name, ()))
            for place, factor in flows.get(name, ()):
                self.sums[place] += factor * more

    def _spend(self, changed: Mapping[str, int]) -> None:
        for name, more in changed.items():
            self._stale.update(self._index.levels.get(name, ()))
            for place, price in self._index.spending.get(name, ()):
                self.sums[place] += price * more
                self._stale.add(place)

    def _keeps(self, place: int) -> bool:
        row, at, tops = self._index.hard[place], self._at, self._index.tops
        match row:
            case Flow():
                is_kept = at.gives_up(row.services, tops) or within(row.lowest, self.sums[place], row.highest)
            case Resource():
                here = self.taken.get(place)
                is_kept = not here or all(here.get(node, 0) <= most for node, most in row.capacity)
            case Distinct():
                is_kept = at.gives_up(row.services, tops) or self.groups(place) >= row.least
            case Budget():
                is_kept = self.sums[place] <= WHOLE_PERMILLE * row.ceiling_millicents
            case _:
                is_kept = keeps(row, at, tops)
        return is_kept

    def groups(self, place: int) -> int:
        """How many groups of a row hold an instance."""
        return sum(count > 0 for count in self.held[place].values()) if place in self.held else 0


def _changed(before: Mapping[Key, int], after: Mapping[Key, int]) -> dict[Key, int]:
    """By key, what is more now, where that is not 0."""
    if before is after:
        return {}
    return {key: after.get(key, 0) - before.get(key, 0) for key in {key for key, _ in before.items() ^ after.items()}}
