"""Rows that a plan breaks are mended a few at a time, exactly, with everything else left where it is.

A *neighbourhood* is what a broken row speaks of and stands, the demands that are served by it, and the cheapest
alternatives for both, on the nodes with the most room. What is open there is solved with every row that touches it
(`residual`), so mending one row breaks no other.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from controller.planning.objective import shortfall
from controller.planning.whole.left import left_of
from controller.planning.whole.letting_go import let_go
from controller.planning.whole.neighbourhood import NARROW, WIDE, neighbourhood
from controller.planning.whole.reading import Hard, Reading, keeps
from controller.planning.whole.rows import Rows
from controller.planning.whole.serving_more import more_served
from controller.planning.whole.spoken import owners, served, spoken_of
from controller.planning.whole.view import View
from rules.kernel.formulation import Count


class Attempt(NamedTuple):
    """How wide a neighbourhood is; whether services may give up more for it, and whether what stands stays there."""

    width: int
    may_give_up: bool = True
    stays: bool = False


ATTEMPTS: Final = (
    Attempt(NARROW, may_give_up=False, stays=True),
    Attempt(NARROW, may_give_up=False),
    Attempt(WIDE),
    Attempt(30),
    Attempt(NARROW),
)
"""What is left open in a large part is found in a small one, and a lost node needs no more than room elsewhere."""


def broken(rows: Rows, at: Reading) -> tuple[Hard, ...]:
    """The rows that a plan does not keep, in order."""
    return tuple(rows.broken(at))


def repaired(rows: Rows, at: Reading, price: Mapping[str, float]) -> Reading:
    """The plan with what could be mended; what could not is still broken.

    What is degraded or refused is looked at as well: the search may have missed by a little what there is room for.
    """
    at, view = without_broken(rows, at, price), View(rows, price)
    short = at.levels.keys() | {rows.problem.demand(demand).service for demand in at.unserved}
    for service in sorted(short & rows.ladders.keys()):
        at = more_served(view, at, rows.ladders[service])
    return at


def without_broken(rows: Rows, at: Reading, price: Mapping[str, float]) -> Reading:
    """The plan with the rows kept that can be mended."""
    view = View(rows, price)
    for attempt in ATTEMPTS:
        for row in broken(rows, at):
            if not keeps(row, at, rows.tops):
                at = _mended(view, at, row, attempt)
    return at


def _mended(view: View, at: Reading, row: Hard, attempt: Attempt) -> Reading:
    """The plan with a row kept if that can be."""
    width, may_give_up, stays = attempt
    spoken = tuple(dict.fromkeys(spoken_of(view, at, row, width)))
    services = owners(view, row) or served(view, at, [option for option in spoken if option in at.by_option])
    left = left_of(view, at, neighbourhood(view, at, spoken, services, width, stays=stays))
    found = left.solved(None if may_give_up else left.without_giving_up_more(), view.gap)
    if found is None and may_give_up and isinstance(row, Count):
        return let_go(view.rows, at, row)
    if found is None or (not may_give_up and shortfall(found, left.form) > shortfall(left.before, left.form)):
        return at
    return left.with_part(found)
