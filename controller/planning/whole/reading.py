"""A plan as rows read it: sums by option, path and demand, made once."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Self

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
from rules.kernel.plan import Degraded, Instances, Plan, Route, Unserved
from rules.kernel.problem import WHOLE_PERMILLE

Hard = Resource | Count | Distinct | Exclusive | Gathered | Flow | Budget | Ladder | Assurance
"""A row that a plan with usable paths can break."""
Counts = Mapping[tuple[str, str], int]
"""Instances by option and node, none of them 0."""


@dataclass(frozen=True)
class Reading:
    """Instances by (option, node) and by option, shares and refusals in permille, and levels above 0."""

    counts: Counts
    by_option: Mapping[str, int]
    shares: Mapping[str, int]
    unserved: Mapping[str, int]
    levels: Mapping[str, int]

    @classmethod
    def of(cls, plan: Plan) -> Self:
        """What a plan says."""
        counts: Counter[tuple[str, str]] = Counter()
        for item in plan.instances:
            counts[item.option, item.node] += item.count
        return cls.made(
            counts,
            shares={route.path: route.share_permille for route in plan.routes},
            unserved={item.demand: item.share_permille for item in plan.unserved},
            levels={item.service: item.level for item in plan.degraded},
        )

    @classmethod
    def made(
        cls, counts: Counts, shares: Mapping[str, int], unserved: Mapping[str, int], levels: Mapping[str, int]
    ) -> Self:
        """From its parts; zeros are left out."""
        standing = {key: count for key, count in counts.items() if count}
        by_option: Counter[str] = Counter()
        for (option, _), count in standing.items():
            by_option[option] += count
        return cls(
            standing,
            by_option,
            {path: share for path, share in shares.items() if share},
            {demand: share for demand, share in unserved.items() if share},
            {service: level for service, level in levels.items() if level},
        )

    def plan(self) -> Plan:
        """The same as a plan, in a fixed order."""
        return Plan(
            instances=tuple(sorted(Instances(*key, count) for key, count in self.counts.items())),
            routes=tuple(sorted(Route(*item) for item in self.shares.items())),
            unserved=tuple(sorted(Unserved(*item) for item in self.unserved.items())),
            degraded=tuple(sorted(Degraded(*item) for item in self.levels.items())),
        )

    @cached_property
    def powered(self) -> frozenset[str]:
        """The nodes that hold an instance."""
        return frozenset(node for _, node in self.counts)

    @cached_property
    def nodes_of(self) -> Mapping[str, tuple[str, ...]]:
        """By option, the nodes that hold instances of it."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for option, node in self.counts:
            found[option].append(node)
        return {option: tuple(nodes) for option, nodes in found.items()}

    def gives_up(self, services: Iterable[str], tops: Mapping[str, int]) -> bool:
        """Whether one of the services is at the highest level of its ladder, where rows that name it are not asked."""
        return any(0 < self.levels.get(name, 0) == tops.get(name) for name in services)

    def flows(self, row: Flow) -> int:
        """The sum that a flow row bounds."""
        return (
            sum(factor * self.shares.get(path, 0) for path, factor in row.shares)
            + sum(factor * self.by_option.get(option, 0) for option, factor in row.instances)
            + sum(factor * self.unserved.get(demand, 0) for demand, factor in row.unserved)
        )

    def spent(self, row: Budget) -> int:
        """Thousandths of a millicent an hour of what a budget row bounds."""
        nodes = sum(price for node, price in row.prices_millicents if node in self.powered)
        return WHOLE_PERMILLE * nodes + sum(price * self.shares.get(path, 0) for path, price in row.carried_millicents)

    def held(self, row: Distinct) -> list[bool]:
        """Which groups of a row hold an instance."""
        return [any(key in self.counts for key in group) for group in row.groups]

    def gathered(self, row: Gathered) -> list[tuple[str, ...]]:
        """The groups of a row that hold an instance."""
        standing = {node for option in row.options for node in self.nodes_of.get(option, ())}
        return [group for group in row.groups if not standing.isdisjoint(group)]


def highest_levels(form: Formulation) -> Mapping[str, int]:
    """The highest level of each service with a ladder; at 0 there is no step to take."""
    return {row.service: len(row.unserved_permille) - 1 for row in form.rows if isinstance(row, Ladder)}


def kept(form: Formulation, plan: Plan) -> bool:
    """Whether a plan keeps all rows. What excludes a use is left to the problem, which has no path through it."""
    at, tops = Reading.of(plan), highest_levels(form)
    return all(
        _is_out(row, at) if isinstance(row, Exclusion) else isinstance(row, Penalty) or keeps(row, at, tops)
        for row in form.rows
    )


def _is_out(row: Exclusion, at: Reading) -> bool:
    return row.path not in at.shares if row.path else bool(row.demand) or row.option not in at.by_option


def keeps(row: Hard, at: Reading, tops: Mapping[str, int]) -> bool:
    """Whether a plan keeps a row; `tops` has the highest level of each service with a ladder."""
    match row:
        case Resource():
            is_kept = _fits(row, at)
        case Count():
            is_kept = within(row.lowest, sum(at.by_option.get(option, 0) for option in row.options), row.highest)
        case Distinct():
            is_kept = at.gives_up(row.services, tops) or sum(at.held(row)) >= row.least
        case Exclusive():
            is_kept = sum(option in at.by_option for option in row.options) <= 1
        case Gathered():
            is_kept = len(at.gathered(row)) <= 1
        case Flow():
            is_kept = at.gives_up(row.services, tops) or within(row.lowest, at.flows(row), row.highest)
        case Budget():
            is_kept = at.spent(row) <= WHOLE_PERMILLE * row.ceiling_millicents
        case Ladder():
            level = at.levels.get(row.service, 0)
            early = any(level < gate and path in at.shares for path, gate in row.gates)
            is_kept = not early and all(at.unserved.get(d, 0) <= row.unserved_permille[level] for d in row.demands)
        case Assurance():
            refused = (at.unserved.get(demand, 0) <= most for demand, most in row.unserved_permille)
            is_kept = at.levels.get(row.service, 0) <= row.level and all(refused)
    return is_kept


def within(lowest: int | None, value: int, highest: int | None) -> bool:
    """Whether a value lies between two ends, both included; one that is None is open."""
    return (lowest is None or value >= lowest) and (highest is None or value <= highest)


def _fits(row: Resource, at: Reading) -> bool:
    use, capacity = dict(row.use), dict(row.capacity)
    taken: Counter[str] = Counter()
    for (option, node), count in at.counts.items():
        if option in use and node in capacity:
            taken[node] += count * use[option]
    return all(amount <= capacity[node] for node, amount in taken.items())
