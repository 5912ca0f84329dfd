"""A form of which a part is decided: the rows that are left for the rest, so that the rest can be solved exactly.

What is open is a problem of its own, with some of the options, nodes, paths and demands. Everything else stands as the
plan has it and is taken off the rows' limits. A row of which nothing is open is left out, kept or not.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from controller.planning.whole.reading import Reading
from controller.planning.whole.rows import Rows
from rules.kernel.formulation import (
    Assurance,
    Budget,
    Count,
    Distinct,
    Exclusive,
    Flow,
    Formulation,
    Gathered,
    Ladder,
    Penalty,
    Resource,
    Row,
)
from rules.kernel.problem import WHOLE_PERMILLE, Problem


@dataclass(frozen=True)
class Open:
    """What is to be decided. An open demand uses open paths only; of an open service, all demands are open."""

    problem: Problem

    @cached_property
    def stands(self) -> frozenset[tuple[str, str]]:
        """Every (option, node) that is open."""
        return frozenset(
            (option.id, node.name)
            for option in self.problem.options
            for node in self.problem.nodes_of(option.placement.pool)
        )

    @cached_property
    def options(self) -> frozenset[str]:
        """Those that may stand on an open node."""
        return frozenset(option for option, _ in self.stands)

    @cached_property
    def nodes(self) -> frozenset[str]:
        """Open nodes; what is fixed on them stays."""
        return frozenset(node for _, node in self.stands)

    @cached_property
    def paths(self) -> frozenset[str]:
        """Open paths."""
        return frozenset(path.id for path in self.problem.paths)

    @cached_property
    def demands(self) -> frozenset[str]:
        """Open demands."""
        return frozenset(demand.id for demand in self.problem.demands)

    @cached_property
    def services(self) -> frozenset[str]:
        """The services of open demands: their levels are open."""
        return frozenset(demand.service for demand in self.problem.demands)


def fixed(rows: Rows, at: Reading, opened: Open) -> Reading:
    """What of a plan stays."""
    paths = {path.id for demand in opened.demands for path in rows.problem.paths_of(demand)}
    return Reading.made(
        {key: count for key, count in at.counts.items() if key not in opened.stands},
        {path: share for path, share in at.shares.items() if path not in paths},
        {demand: share for demand, share in at.unserved.items() if demand not in opened.demands},
        {service: level for service, level in at.levels.items() if service not in opened.services},
    )


def part(at: Reading, opened: Open) -> Reading:
    """What of a plan is open."""
    return Reading.made(
        {key: count for key, count in at.counts.items() if key in opened.stands},
        {path: share for path, share in at.shares.items() if path in opened.paths},
        {demand: share for demand, share in at.unserved.items() if demand in opened.demands},
        {service: level for service, level in at.levels.items() if service in opened.services},
    )


def joined(stays: Reading, found: Reading) -> Reading:
    """What stays and what was decided, together."""
    counts = dict(stays.counts)
    for key, count in found.counts.items():
        counts[key] = counts.get(key, 0) + count
    return Reading.made(
        counts,
        {**stays.shares, **found.shares},
        {**stays.unserved, **found.unserved},
        {**stays.levels, **found.levels},
    )


def residual(rows: Rows, stays: Reading, opened: Open) -> Formulation:
    """The rows of what is open, beside what stays."""
    touched = {
        at
        for name in (*opened.options, *opened.nodes, *opened.paths, *opened.demands)
        for at in rows.touching.get(name, ())
    }
    left: list[Row] = []
    for at in sorted(touched):
        left.extend(_left(at, rows, stays, opened))
    left.append(_penalty(rows, stays, opened))
    return Formulation(left)


def _left(at: int, rows: Rows, stays: Reading, opened: Open) -> Iterator[Row]:
    match row := rows.hard[at]:
        case Resource():
            left = _resource(row, at, rows, stays, opened)
        case Count():
            left = _count(row, stays, opened)
        case Distinct():
            left = _distinct(row, rows, stays, opened)
        case Exclusive():
            left = _exclusive(row, stays, opened)
        case Gathered():
            left = _gathered(row, stays, opened)
        case Flow():
            left = _flow(row, at, rows, stays, opened)
        case Budget():
            left = _budget(row, at, rows, stays, opened)
        case Ladder():
            left = _ladder(row, opened)
        case Assurance():
            left = _assurance(row, opened)
    return left


def _count(row: Count, stays: Reading, opened: Open) -> Iterator[Row]:
    options = tuple(option for option in row.options if option in opened.options)
    there = sum(stays.by_option.get(option, 0) for option in row.options)
    if options:
        highest = None if row.highest is None else row.highest - there
        yield replace(row, options=options, lowest=row.lowest - there, highest=highest)


def _exclusive(row: Exclusive, stays: Reading, opened: Open) -> Iterator[Row]:
    options = tuple(option for option in row.options if option in opened.options)
    if any(option in stays.by_option for option in row.options):
        others = tuple(option for option in options if option not in stays.by_option)
        yield Count(row.rule, row.place, others, 0, 0)
    elif options:
        yield replace(row, options=options)


def _gathered(row: Gathered, stays: Reading, opened: Open) -> Iterator[Row]:
    """Where something stays, the open nodes of other groups have no room for these options."""
    options = tuple(option for option in row.options if option in opened.options)
    held = stays.gathered(row)
    groups = [tuple(node for node in group if node in opened.nodes) for group in row.groups if group not in held]
    if options and held:
        nowhere = tuple((node, 0) for group in groups for node in group)
        yield Resource(row.rule, row.place, nowhere, tuple((option, 1) for option in options))
    elif options:
        yield replace(row, options=options, groups=tuple(filter(None, groups)))


def _ladder(row: Ladder, opened: Open) -> Iterator[Row]:
    if row.service in opened.services:
        yield replace(
            row,
            demands=tuple(demand for demand in row.demands if demand in opened.demands),
            gates=tuple((path, level) for path, level in row.gates if path in opened.paths),
        )


def _assurance(row: Assurance, opened: Open) -> Iterator[Row]:
    if row.service in opened.services:
        open_ = tuple((demand, most) for demand, most in row.unserved_permille if demand in opened.demands)
        yield replace(row, unserved_permille=open_)


def _resource(row: Resource, at: int, rows: Rows, stays: Reading, opened: Open) -> Iterator[Row]:
    taken = rows.tally.of(stays).taken[at]
    capacity = tuple((node, has - taken.get(node, 0)) for node, has in row.capacity if node in opened.nodes)
    wanted = tuple((option, used) for option, used in row.use if option in opened.options)
    if capacity and wanted:
        yield replace(row, capacity=capacity, use=tuple(sorted(wanted)))


def _distinct(row: Distinct, rows: Rows, stays: Reading, opened: Open) -> Iterator[Row]:
    held = stays.held(row)
    groups = tuple(
        members
        for group, there in zip(row.groups, held, strict=True)
        if not there and (members := tuple(key for key in group if key in opened.stands))
    )
    least = row.least - sum(held)
    if least > 0 and groups and not _given_up(row, rows, stays, opened):
        yield replace(row, groups=groups, least=least)


def _given_up(row: Distinct | Flow, rows: Rows, stays: Reading, opened: Open) -> bool:
    """Whether a row is of a service whose level stays the highest."""
    return stays.gives_up((name for name in row.services if name not in opened.services), rows.tops)


def _flow(row: Flow, at: int, rows: Rows, stays: Reading, opened: Open) -> Iterator[Row]:
    shares = tuple((path, factor) for path, factor in row.shares if path in opened.paths)
    instances = tuple((option, factor) for option, factor in row.instances if option in opened.options)
    unserved = tuple((demand, factor) for demand, factor in row.unserved if demand in opened.demands)
    if (shares or instances or unserved) and not _given_up(row, rows, stays, opened):
        there = rows.tally.of(stays).sums[at]
        yield replace(
            row,
            shares=shares,
            instances=instances,
            unserved=unserved,
            lowest=None if row.lowest is None else row.lowest - there,
            highest=None if row.highest is None else row.highest - there,
        )


def _budget(row: Budget, at: int, rows: Rows, stays: Reading, opened: Open) -> Iterator[Row]:
    powered = stays.powered
    open_ = tuple((n, price) for n, price in row.prices_millicents if n in opened.nodes and n not in powered)
    carried = tuple((path, price) for path, price in row.carried_millicents if path in opened.paths)
    if open_ or carried:
        paid = -(-rows.tally.of(stays).sums[at] // WHOLE_PERMILLE)
        left = row.ceiling_millicents - paid
        yield replace(row, prices_millicents=open_, ceiling_millicents=left, carried_millicents=carried)


def _penalty(rows: Rows, stays: Reading, opened: Open) -> Penalty:
    prices, powered = rows.prices, stays.powered
    starts = []
    for at in sorted({prices.start_of[option] for option in opened.options if option in prices.start_of}):
        options, running, price = prices.starts[at]
        there = sum(stays.by_option.get(option, 0) for option in options)
        open_ = tuple(option for option in options if option in opened.options)
        starts.append((open_, max(0, running - there), price))
    services = opened.services & rows.ladders.keys()
    return Penalty(
        "residual",
        nodes=tuple((n, prices.nodes[n]) for n in sorted(opened.nodes - powered) if n in prices.nodes),
        instances=tuple((o, prices.instances[o]) for o in sorted(opened.options) if o in prices.instances),
        starts=tuple(starts),
        levels=tuple((s, prices.levels[s]) for s in sorted(services) if s in prices.levels),
        unserved=tuple((d, prices.unserved[d]) for d in sorted(opened.demands) if d in prices.unserved),
        carried=tuple((p, prices.carried[p]) for p in sorted(opened.paths & prices.carried.keys())),
    )
