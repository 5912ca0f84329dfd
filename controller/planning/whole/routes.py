"""Where requests go once it is known what stands where: exact shares over all usable paths, levels included.

Boxes made stages independent for the search; the routes need no box. Instances are fixed, so that a form over shares
and levels alone is left. Services that share no option are independent of each other: CP-SAT solves them some at a
time.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from controller.planning.connected import connected
from controller.planning.solve import Solved, solve_in_turn
from controller.planning.whole.giving_up import refusing
from controller.planning.whole.reading import Counts, Reading
from controller.planning.whole.residual import Open, fixed, joined, residual
from controller.planning.whole.rows import Rows
from controller.planning.whole.shares import near
from rules.kernel.formulation import Budget, Formulation
from rules.kernel.plan import Plan
from rules.kernel.problem import Path, Problem

GIVING_UP_WORK: Final = 0.2
"""Deterministic time of services that are solved together, for how little of them has to be given up …"""
PRICE_WORK: Final = 0.05
"""… and for what their shares cost."""
GAP: Final = 100
"""Millicents an hour that their shares may cost more than the cheapest: proving the last of them takes the longest."""
TOGETHER: Final = 150
"""Paths of services that are solved together though they are independent: a solve takes some milliseconds at least."""


def routed(rows: Rows, counts: Counts) -> Reading | None:
    """The best shares for these instances, of those the soonest; None where there are none.

    Where nodes alone overspend a budget it is not kept: repair has nodes to give up, and routes have not.
    """
    at = Reading.made(counts, {}, {}, {})
    held = at.by_option.keys()
    paths = {
        demand: tuple(path for path in paths if held >= set(path.options)) for demand, paths in rows.usable.items()
    }
    for services in _batches(rows, paths):
        narrow = replace(
            rows.problem,
            options=(),
            nodes=(),
            demands=tuple(demand for demand in rows.problem.demands if demand.service in services),
            paths=tuple(p for d in rows.problem.demands if d.service in services for p in paths[d.id]),
        )
        opened = Open(narrow)
        stays = fixed(rows, at, opened)
        form = residual(rows, stays, opened)
        solved = _solved(form, narrow, None)
        if solved.plan is None:
            solved = _solved(form, narrow, refusing(rows, narrow))
        if solved.plan is None and any(isinstance(row, Budget) for row in form.rows):
            form = Formulation([row for row in form.rows if not isinstance(row, Budget)])
            solved = _solved(form, narrow, None)
        if solved.plan is None:
            return None
        at = joined(stays, Reading.of(solved.plan))
    return at


def _solved(form: Formulation, narrow: Problem, hint: Plan | None) -> Solved:
    around = partial(near, form, narrow, gap=GAP)
    return solve_in_turn(form, narrow, hint, GIVING_UP_WORK, PRICE_WORK, gap=GAP, near=around)


def _batches(rows: Rows, paths: Mapping[str, Sequence[Path]]) -> Iterator[frozenset[str]]:
    """Services in groups that share nothing with each other."""
    members: set[str] = set()
    size = 0
    for group in _kin(rows, paths):
        members.update(group)
        size += sum(len(paths[demand.id]) for demand in rows.problem.demands if demand.service in group)
        if size >= TOGETHER:
            yield frozenset(members)
            members, size = set(), 0
    if members:
        yield frozenset(members)


def _kin(rows: Rows, paths: Mapping[str, Sequence[Path]]) -> list[list[str]]:
    """Services that are joined by options, or by any other row that speaks of both, in order of the first of each.

    A budget of nodes joins none: all would be solved at once, and each has what those before it left.
    """
    service_of = {demand.id: demand.service for demand in rows.problem.demands}
    spoken: defaultdict[int, set[str]] = defaultdict(set)
    for demand, found in paths.items():
        for at in {row for path in found for row in rows.touching.get(path.id, ())}:
            row = rows.hard[at]
            if not (isinstance(row, Budget) and row.prices_millicents):
                spoken[at].add(service_of[demand])
    return connected([*((service,) for service in service_of.values()), *spoken.values()])
