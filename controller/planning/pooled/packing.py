"""Greedy packing of a pool's instances on its nodes, compiled.

Kinds of instance in the order given, each instance on the node of the best score among those that hold it: with sign 1
the emptiest that has the fewest of its kind, with sign -1 the fullest.
"""

import numpy as np
from numpy.typing import NDArray

from controller.compiled import compiled

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@compiled
def packed(count: Ints, size: Floats, room: Floats, sign: float) -> Ints:
    """Instances of each kind on each node, [kinds, nodes]; an empty array when one is left over.

    count [kinds], size [kinds, resources] of an instance, room [nodes, resources].
    """
    nodes, resources = room.shape
    largest = np.ones(resources)
    for node in range(nodes):
        largest = np.maximum(largest, room[node])
    left = room.copy()
    standing = np.zeros((count.size, nodes), np.int64)
    for kind in range(count.size):
        for _ in range(count[kind]):
            best, best_score = -1, -np.inf
            for node in range(nodes):
                free = 1.0
                for resource in range(resources):
                    if left[node, resource] < size[kind, resource]:
                        free = -1.0
                        break
                    free = min(free, left[node, resource] / largest[resource])
                score = sign * (free - standing[kind, node])
                if free >= 0.0 and score > best_score:
                    best, best_score = node, score
            if best < 0:
                return np.zeros((0, 0), np.int64)
            standing[kind, best] += 1
            for resource in range(resources):
                left[best, resource] -= size[kind, resource]
    return standing
