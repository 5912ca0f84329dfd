"""The rows of a form by what they speak of, so that engines for large fleets find each one without looking at all."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from controller.planning.barring import barring
from controller.planning.whole.reading import Hard, Reading, highest_levels
from controller.planning.whole.tally import Index, Tally
from rules.kernel.formulation import (
    Assurance,
    Budget,
    Count,
    Distinct,
    Exclusion,
    Exclusive,
    Flow,
    Formulation,
    Gathered,
    Ladder,
    Penalty,
    Resource,
)
from rules.kernel.problem import WHOLE_PERMILLE, Path, Problem


class Prices(NamedTuple):
    """All penalties of a form together, in millicents an hour."""

    nodes: Mapping[str, int]
    instances: Mapping[str, int]
    starts: Sequence[tuple[tuple[str, ...], int, int]]
    """As the form has them, one after the other; `start_of` has the place of each option's."""
    start_of: Mapping[str, int]
    levels: Mapping[str, tuple[int, ...]]
    unserved: Mapping[str, int]
    carried: Mapping[str, int]
    """By path, where it carries all of its demand."""


class Answers(NamedTuple):
    """What capacity rows say, in millionths of a call a second (urps)."""

    offered: Mapping[str, int]
    """By option, what an instance may be given."""
    brought: Mapping[str, Mapping[str, int]]
    """By option, what each path brings it for a permille of its demand."""


@dataclass(frozen=True)
class Rows:
    """A problem with its form, read once."""

    problem: Problem
    form: Formulation

    @cached_property
    def hard(self) -> tuple[Hard, ...]:
        """The rows that can be broken, in order; that an option may not stand at all is a count of nothing."""
        counted = (
            _as_count(row) if isinstance(row, Exclusion) and _is_of_option(row) else row for row in self.form.rows
        )
        return tuple(row for row in counted if not isinstance(row, Exclusion | Penalty))

    @cached_property
    def never(self) -> frozenset[str]:
        """Options that may have no instance at all."""
        none = (row for row in self.hard if isinstance(row, Count) and row.highest == 0)
        return frozenset(option for row in none for option in row.options)

    @cached_property
    def usable(self) -> Mapping[str, tuple[Path, ...]]:
        """By demand, the paths that no exclusion forbids."""
        barred = barring(self.form, self.problem)
        found: dict[str, list[Path]] = {demand.id: [] for demand in self.problem.demands}
        for path in self.problem.paths:
            if path.id not in barred:
                found[path.demand].append(path)
        return {demand: tuple(paths) for demand, paths in found.items()}

    @cached_property
    def ladders(self) -> Mapping[str, Ladder]:
        """By service."""
        return {row.service: row for row in self.hard if isinstance(row, Ladder)}

    @cached_property
    def tops(self) -> Mapping[str, int]:
        """The highest level of each service with a ladder."""
        return highest_levels(self.form)

    @cached_property
    def confined(self) -> frozenset[str]:
        """The services that are at their highest level, for some row asks for more distinct groups than there are."""
        spread = (row for row in self.hard if isinstance(row, Distinct))
        return frozenset(name for row in spread if sum(map(bool, row.groups)) < row.least for name in row.services)

    @cached_property
    def refused(self) -> Mapping[str, int]:
        """By demand, the permille that a row wants to go unserved whatever stands."""
        asked = (row for row in self.hard if isinstance(row, Flow) and row.lowest and not (row.shares or row.instances))
        return {row.unserved[0][0]: row.lowest for row in asked if len(row.unserved) == 1 and row.lowest}

    @cached_property
    def gates(self) -> Mapping[str, int]:
        """By path, the level from which it may carry anything, where that is not 0."""
        return {path: level for row in self.ladders.values() for path, level in row.gates}

    @cached_property
    def answers(self) -> Answers:
        """What instances answer: rows of the sort  sum of brought * share <= offered * instances  of one option."""
        offered: dict[str, int] = {}
        brought: dict[str, Mapping[str, int]] = {}
        for row in self.hard:
            if isinstance(row, Flow) and _is_capacity(row):
                ((option, factor),) = row.instances
                offered[option] = -factor
                brought[option] = dict(row.shares)
        return Answers(offered, brought)

    @cached_property
    def parts(self) -> Mapping[str, float]:
        """By option, the largest part of any resource of its node that an instance takes."""
        found: defaultdict[str, float] = defaultdict(float)
        for row in self.hard:
            if isinstance(row, Resource):
                most = max((capacity for _, capacity in row.capacity), default=0)
                for option, use in row.use:
                    found[option] = max(found[option], use / max(most, 1))
        return found

    @cached_property
    def prices(self) -> Prices:
        """The penalties."""
        rows = [row for row in self.form.rows if isinstance(row, Penalty)]
        starts = [start for row in rows for start in row.starts]
        return Prices(
            nodes=_summed(item for row in rows for item in row.nodes),
            instances=_summed(item for row in rows for item in row.instances),
            starts=starts,
            start_of={option: at for at, (options, _, _) in enumerate(starts) for option in options},
            levels={service: prices for row in rows for service, prices in row.levels},
            unserved=_summed(item for row in rows for item in row.unserved),
            carried=_summed(item for row in rows for item in row.carried),
        )

    @cached_property
    def groups(self) -> Mapping[tuple[str, str], Sequence[tuple[int, int]]]:
        """By option and node, the places in `hard` of the rows of distinct groups, each with the group it is in."""
        found: defaultdict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
        for at, row in enumerate(self.hard):
            if isinstance(row, Distinct):
                for group, keys in enumerate(row.groups):
                    for key in keys:
                        found[key].append((at, group))
        return found

    @cached_property
    def uses(self) -> Mapping[str, Sequence[tuple[int, int]]]:
        """By option, the places in `hard` of the resources that it uses, each with what an instance takes."""
        found: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        for at, row in enumerate(self.hard):
            if isinstance(row, Resource):
                for option, use in row.use:
                    found[option].append((at, use))
        return found

    @cached_property
    def capacities(self) -> Mapping[int, Mapping[str, int]]:
        """By place in `hard`, what each node has of its resource."""
        return {at: dict(row.capacity) for at, row in enumerate(self.hard) if isinstance(row, Resource)}

    def detours(self, demand: str) -> Mapping[str, float]:
        """By option, what the way there from a demand costs more than to the cheapest one, for each urps.

        In millicents an hour, with the other stages on the options with the cheapest ways; empty where all cost the
        same.
        """
        if demand not in self._detours:
            self._detours[demand] = self._detours_of(self.usable[demand]) if self.prices.carried else {}
        return self._detours[demand]

    @cached_property
    def _detours(self) -> dict[str, Mapping[str, float]]:
        """Of the demands that were asked for: neighbourhoods are of few."""
        return {}

    def _detours_of(self, paths: Sequence[Path]) -> Mapping[str, float]:
        carried, brought = self.prices.carried, self.answers.brought
        least = min((carried.get(path.id, 0) for path in paths), default=0)
        more: dict[str, float] = {}
        for path in paths:
            for option in path.options:
                calls = max(1, WHOLE_PERMILLE * brought.get(option, {}).get(path.id, 0))
                extra = (carried.get(path.id, 0) - least) / calls
                more[option] = min(extra, more.get(option, extra))
        return more if any(more.values()) else {}

    def delivered(self, demand: str, price: Mapping[str, float], paths: Iterable[Path]) -> Mapping[str, float]:
        """The prices of the options of some paths, with the way there from a demand."""
        more = self.detours(demand)
        if not more:
            return price
        return {option: price[option] + more[option] for path in paths for option in path.options}

    @cached_property
    def flows(self) -> Mapping[str, Sequence[tuple[int, int]]]:
        """By option, path or demand, the places in `hard` of the flows that sum it, each with its factor."""
        found: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        for at, row in enumerate(self.hard):
            if isinstance(row, Flow):
                for part in (row.shares, row.instances, row.unserved):
                    for name, factor in part:
                        found[name].append((at, factor))
        return found

    def broken(self, at: Reading) -> Iterator[Hard]:
        """The rows that a plan does not keep, in order."""
        return (self.hard[place] for place in self.tally.broken(at))

    @cached_property
    def tally(self) -> Tally:
        """What the plan that was looked at last comes to in these rows."""
        return Tally(
            Index(self.hard, self.tops, self.flows, self._spending, self.uses, self.groups, self.touching, self._levels)
        )

    @cached_property
    def _spending(self) -> Mapping[str, Sequence[tuple[int, int]]]:
        """By node or path, the places in `hard` of the budgets that count it, each with its price."""
        found: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        for at, row in enumerate(self.hard):
            for part in (row.prices_millicents, row.carried_millicents) if isinstance(row, Budget) else ():
                for name, price in part:
                    found[name].append((at, price))
        return found

    @cached_property
    def _levels(self) -> Mapping[str, Sequence[int]]:
        """By service, and by path that a level opens, the places in `hard` of the rows that depend on the level."""
        found: defaultdict[str, list[int]] = defaultdict(list)
        for at, row in enumerate(self.hard):
            match row:
                case Flow() | Distinct():
                    names = row.services
                case Ladder():
                    names = (row.service, *(path for path, _ in row.gates))
                case Assurance():
                    names = (row.service,)
                case _:
                    names = ()
            for name in names:
                found[name].append(at)
        return found

    @cached_property
    def touching(self) -> Mapping[str, Sequence[int]]:
        """By option, path, demand or node, the places in `hard` of the rows that name it."""
        others: defaultdict[str, list[int]] = defaultdict(list)
        for at, row in enumerate(self.hard):
            for name in _names(row) if not isinstance(row, Flow) else ():
                others[name].append(at)
        return _Touching(self.flows, others)


class _Touching(Mapping[str, Sequence[int]]):
    """The places of the flows that sum a name, then of the other rows: put together for the few that are asked for."""

    def __init__(self, flows: Mapping[str, Sequence[tuple[int, int]]], others: Mapping[str, Sequence[int]]) -> None:
        self._flows = flows
        self._others = others
        self._known: dict[str, Sequence[int]] = {}

    def __getitem__(self, name: str) -> Sequence[int]:
        if name not in self._known:
            if name not in self._flows and name not in self._others:
                raise KeyError(name)
            self._known[name] = (*(at for at, _ in self._flows.get(name, ())), *self._others.get(name, ()))
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter({**self._flows, **self._others})

    def __len__(self) -> int:
        return len({**self._flows, **self._others})


def _is_of_option(row: Exclusion) -> bool:
    return not (row.path or row.demand)


def _as_count(row: Exclusion) -> Count:
    return Count(row.rule, row.place, (row.option,), 0, 0)


def _is_capacity(row: Flow) -> bool:
    return (
        row.highest == 0
        and row.lowest is None
        and not row.services
        and not row.unserved
        and len(row.instances) == 1
        and row.instances[0][1] < 0
        and all(factor > 0 for _, factor in row.shares)
    )


def _summed(items: Iterable[tuple[str, int]]) -> Mapping[str, int]:
    found: defaultdict[str, int] = defaultdict(int)
    for name, price in items:
        found[name] += price
    return found


def _names(row: Resource | Count | Distinct | Exclusive | Gathered | Budget | Ladder | Assurance) -> Iterable[str]:
    match row:
        case Resource():
            return (option for option, _ in row.use)
        case Count() | Exclusive() | Gathered():
            return row.options
        case Distinct():
            return {option for group in row.groups for option, _ in group}
        case Budget():
            return [name for part in (row.prices_millicents, row.carried_millicents) for name, _ in part]
        case Ladder() | Assurance():
            return row.demands
