"""What the search for a model's cheapest plan writes on: made once, for the model with most of everything."""

from typing import Final, NamedTuple

import numpy as np

from controller.planning.fleet.node_contents import Flags
from controller.planning.fleet.packed import Floats, Ints
from controller.planning.fleet.whole_instances import CELLS

DEPTH: Final = 1024
"""Instances of one model that are looked at; a plan with more is bounded only."""


class Desk(NamedTuple):
    """Of a half-made plan with `depth` instances, the row `depth`; the rest is of the one that is looked at."""

    gap: Ints
    """[DEPTH, subsets]: what each subset lacks, below 0 where it has more than it asks for."""
    usable: Flags
    """[DEPTH, items]: what may still be bought."""
    excess: Floats
    """[DEPTH, items]: what an item costs beyond the most that it can collect."""
    queue: Ints
    """[DEPTH, items]: items that reach the subset in question, the best first."""
    queued: Ints
    tried: Ints
    spent: Floats
    """[DEPTH]"""
    base: Floats
    """[DEPTH]: spent and owed."""
    bound: Floats
    """[DEPTH]: what every plan costs at least that goes on from here."""
    path: Ints
    """[DEPTH]: the items bought so far."""
    best: Ints
    """[DEPTH]: the items of the best plan."""
    short: Ints
    prices: Floats
    order: Ints
    takes: Floats
    root_prices: Floats
    root_order: Ints
    least: Floats
    """[subsets, CELLS + 1]"""
    left: Ints
    """[stocks]"""


def desk(demands: int, items: int, running: Ints) -> Desk:
    """Room for models of so many demands and items."""
    return Desk(
        gap=np.zeros((DEPTH, 1 << demands), np.int64),
        usable=np.zeros((DEPTH, items), np.bool_),
        excess=np.zeros((DEPTH, items)),
        queue=np.zeros((DEPTH, items), np.int64),
        queued=np.zeros(DEPTH, np.int64),
        tried=np.zeros(DEPTH, np.int64),
        spent=np.zeros(DEPTH),
        base=np.zeros(DEPTH),
        bound=np.zeros(DEPTH),
        path=np.zeros(DEPTH, np.int64),
        best=np.zeros(DEPTH, np.int64),
        short=np.zeros(1 << demands, np.int64),
        prices=np.zeros(demands),
        order=np.zeros(demands, np.int64),
        takes=np.zeros(items),
        root_prices=np.zeros(demands),
        root_order=np.zeros(demands, np.int64),
        least=np.zeros((1 << demands, CELLS + 1)),
        left=running.copy(),
    )
