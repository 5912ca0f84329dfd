"""What a search on nodes with devices is led by: the shadow prices of the relaxation, with a floor under them."""

from typing import Final, NamedTuple

import numpy as np

from controller.planning.fleet.device_bound import DevicePrices
from controller.planning.fleet.devices import CPU, DEVICES, MEMORY, SHARE, DeviceProblem, Floats, fitting

FLOOR: Final = 0.02
"""Of the room of a mean node, what its parts are worth at least: what is not scarce is to be packed tightly too."""
MOST_GAIN: Final = 4.0
"""How many times what it takes an instance is worth at most, where classes are ranked."""
LEAST: Final = 1e-9


class Guide(NamedTuple):
    """What a search is led by; in dollars."""

    slack: Floats
    """[C, K]: what a class costs on a kind beyond the kind that suits it best; infinite where it cannot stand."""
    rate: Floats
    """[K, 3]: of CPU, of memory, of a share."""
    opening: Floats
    """[K]: of a node that holds nothing."""
    takes: Floats
    """[C]: what an instance takes where it costs least."""
    size: Floats
    """[C]: the logarithm of that."""
    worth: Floats
    """[C]: the shadow price of an instance."""
    value: Floats
    """[K]: the shadow price of an empty node."""


def guided(problem: DeviceProblem, prices: DevicePrices) -> Guide:
    """What the search is led by, from shadow prices and a floor under them."""
    free, need = problem.kind_free, problem.class_need
    there = np.column_stack((free[:, :DEVICES], free[:, DEVICES:].sum(axis=1)))
    node_worth = problem.class_count @ prices.instance / max(1, int(problem.kind_nodes.sum()))
    floor = FLOOR * (node_worth or 1.0) / np.maximum(1, there)
    takes = np.column_stack((need[:, CPU], need[:, MEMORY], need[:, DEVICES] * need[:, SHARE]))
    use = prices.use + takes @ floor.T
    least = use.min(axis=1)
    size = np.where(np.isfinite(least), np.maximum(LEAST, least), 1.0)
    slack = np.where(fitting(problem), prices.use - prices.instance[:, None], np.inf)
    return Guide(
        slack=slack,
        rate=prices.rate + floor,
        opening=problem.kind_price.astype(float),
        takes=size,
        size=np.log(size),
        worth=prices.instance,
        value=(prices.rate * there).sum(axis=1),
    )
