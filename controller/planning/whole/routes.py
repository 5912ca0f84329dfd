"""Where requests go once it is known what stands where: exact shares over all usable paths, levels included.

Boxes made stages independent for the search; the routes need no box. Instances are fixed, so that a form over shares
and levels alone is left, and CP-SAT solves it whole.
"""

from dataclasses import replace
from typing import Final

from controller.planning.solve import nearest, solve
from controller.planning.whole.reading import Counts, Reading
from controller.planning.whole.residual import Open, fixed, joined, residual
from controller.planning.whole.rows import Rows

WORK: Final = 2.0
"""Deterministic time."""


def routed(rows: Rows, counts: Counts) -> Reading | None:
    """The best shares for these instances, of those the soonest; None where there are none."""
    bare = Reading.made(counts, {}, {}, {})
    held = bare.by_option.keys()
    paths = tuple(path for paths in rows.usable.values() for path in paths if held >= set(path.options))
    opened = Open(replace(rows.problem, options=(), nodes=(), paths=paths))
    stays = fixed(rows, bare, opened)
    form = residual(rows, stays, opened)
    solved = solve(form, opened.problem, work_limit=WORK)
    if solved.plan is None:
        return None
    return joined(stays, Reading.of(nearest(form, opened.problem, solved.plan, solved.cost)))
