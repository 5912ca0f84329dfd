"""What the shares of devices are worth: packings of one device, priced (Gilmore and Gomory 1961)."""

import numpy as np

from controller.compiled import compiled
from controller.planning.fleet.devices import SHARES, Floats, Ints

Packing = tuple[int, ...]
"""How many instances of each size one device holds."""


def first_packings(sizes: Ints) -> list[Packing]:
    """For each size, a device full of it, and one with a single instance of it; the rest filled up, largest first."""
    order = np.argsort(-sizes, kind="stable").tolist()
    found = []
    for size in range(sizes.size):
        for several in (SHARES // int(sizes[size]), 1):
            left = SHARES - several * int(sizes[size])
            counts = [0] * sizes.size
            counts[size] = several
            for other in order:
                more = left // int(sizes[other])
                counts[other] += more
                left -= more * int(sizes[other])
            found.append(tuple(counts))
    return sorted(set(found))


def best_packing(worth: Floats, sizes: Ints) -> tuple[float, Packing]:
    """What a device can hold at most of instances of some sizes with a worth each, and how."""
    value, choice = _fill(worth, sizes)
    counts, room = [0] * sizes.size, SHARES
    while choice[room] >= 0:
        counts[choice[room]] += 1
        room -= int(sizes[choice[room]])
    return float(value[SHARES]), tuple(counts)


@compiled
def _fill(worth: Floats, sizes: Ints) -> tuple[Floats, Ints]:
    """The unbounded knapsack: by room, the best value, and the size to begin with, -1 for none."""
    value, choice = np.zeros(SHARES + 1), np.full(SHARES + 1, -1)
    for room in range(1, SHARES + 1):
        for size in range(sizes.size):
            if sizes[size] <= room and value[room - sizes[size]] + worth[size] > value[room]:
                value[room] = value[room - sizes[size]] + worth[size]
                choice[room] = size
    return value, choice
