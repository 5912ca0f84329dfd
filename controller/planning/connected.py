"""What belongs together because something joins it."""

from collections.abc import Collection, Hashable, Iterable
from typing import TypeVar

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

Item = TypeVar("Item", bound=Hashable)


def connected(joined: Iterable[Collection[Item]]) -> list[list[Item]]:
    """The items in groups: those of one collection are together. Groups and their members in order of first mention."""
    collections = [list(items) for items in joined]
    number = {item: at for at, item in enumerate(dict.fromkeys(item for items in collections for item in items))}
    pairs = [(number[items[0]], number[item]) for items in collections for item in items[1:]]
    one, other = np.array(pairs, np.int64).reshape(-1, 2).T
    graph = csr_array((np.ones(one.size), (one, other)), shape=(len(number), len(number)))
    groups: dict[int, list[Item]] = {}
    for item, label in zip(number, connected_components(graph, directed=False)[1].tolist(), strict=True):
        groups.setdefault(label, []).append(item)
    return list(groups.values())
