"""Nodes that are used worst are emptied where what stands there may stand cheaper elsewhere."""

from collections.abc import Collection, Mapping
from typing import Final

from controller.planning.objective import cost_of
from controller.planning.whole.left import left_of
from controller.planning.whole.neighbourhood import NARROW, neighbourhood
from controller.planning.whole.reading import Reading
from controller.planning.whole.residual import Open
from controller.planning.whole.rows import Rows
from controller.planning.whole.spoken import served
from controller.planning.whole.view import View

MOST_POWERED: Final = 100
MOST_RELIEVED: Final = 8
"""So often a node is looked at in the end; again, when others have changed."""


def relieved(rows: Rows, at: Reading, price: Mapping[str, float], most: int = MOST_RELIEVED) -> Reading:
    """The plan with what stands on the nodes that are used worst placed anew, where that is cheaper.

    It is for fleets of which a node is a considerable part.
    """
    if len(at.powered) > MOST_POWERED:
        return at
    view, seen = View(rows, price), set[str]()
    for _ in range(most):
        node = _worst_used(view, at, seen)
        if not node:
            break
        here = tuple(sorted({option for option, place in at.counts if place == node}))
        better = _cheaper(view, at, neighbourhood(view, at, here, served(view, at, here), NARROW))
        seen = {node} if better is not at else {*seen, node}
        at = better
    return at


def _worst_used(view: View, at: Reading, seen: Collection[str]) -> str:
    """The node whose price is used worst, of those that were not seen as things stand; empty when all were."""
    load = view.load(at)
    left = at.powered.difference(seen)
    waste = {node: view.rows.prices.nodes.get(node, 0) * (1 - load[node]) for node in left}
    return min(left, key=lambda node: (-waste[node], node), default="")


def _cheaper(view: View, at: Reading, opened: Open) -> Reading:
    """The plan with what is open placed anew, where that is cheaper."""
    left = left_of(view, at, opened)
    found = left.solved()
    is_cheaper = found is not None and cost_of(found, left.form) < cost_of(left.before, left.form)
    return left.with_part(found) if found is not None and is_cheaper else at
