"""A service that is degraded or refused gets more of what it asks for, where there is room and it pays."""

from controller.planning.objective import cost_of
from controller.planning.whole.giving_up import given_up, least_given_up
from controller.planning.whole.lacking import lacking
from controller.planning.whole.left import left_of
from controller.planning.whole.neighbourhood import NARROW, WIDE, neighbourhood
from controller.planning.whole.reading import Reading
from controller.planning.whole.residual import Open
from controller.planning.whole.spoken import spoken_of
from controller.planning.whole.view import View
from rules.kernel.formulation import Ladder


def more_served(view: View, at: Reading, ladder: Ladder) -> Reading:
    """The plan with less of a service degraded or refused, where that can be and pays: among few paths, then more."""
    least = least_given_up(view.rows, ladder.service)
    asked: Open | None = None
    for width in (NARROW, WIDE):
        if given_up(view.rows, at, ladder.service) > least:
            opened = _around(view, at, ladder, width)
            better = at if opened == asked else _more_served_among(view, at, ladder, opened)
            at, asked = better, opened if better is at else None
    return at


def _around(view: View, at: Reading, ladder: Ladder, width: int) -> Open:
    """A service, with room for what it lacks."""
    spoken = tuple(dict.fromkeys(spoken_of(view, at, ladder, width)))
    room = max((lacking(row, at) for row in view.asked_of.get(ladder.service, ())), default=0)
    return neighbourhood(view, at, spoken, (ladder.service,), width, room=room)


def _more_served_among(view: View, at: Reading, ladder: Ladder, opened: Open) -> Reading:
    """Only plans that give up less are looked at: that there is none is far less to see than which is cheapest."""
    left = left_of(view, at, opened)
    permille = min(view.rows.prices.unserved.get(demand, 0) for demand in ladder.demands)
    found = left.solved(cost_of(left.before, left.form) - permille // 2, view.gap)
    return at if found is None else left.with_part(found)
