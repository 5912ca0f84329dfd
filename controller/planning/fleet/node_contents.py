"""What can stand on one node of each pool together.

Options that take the same of a node are of one *size*. A *content* is how many instances of each size a node holds when
nothing more fits. With a price on each size, the most that a node of a pool can collect is the largest of a few sums.

Where a pool has too many contents to list, near sizes become one that takes, of each resource, what the least of them
takes. Nodes then seem to hold more than they do, so what is proven of them stays true.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from controller.planning.fleet.packed import Ints, PackedProblem

Flags = npt.NDArray[np.bool_]

MOST_CONTENTS: Final = 400
"""Of a pool. Each round looks at all of them; 126 fill a device with 4 slots and 6 sizes of models."""
MOST_TRIES: Final = 20_000
"""Fillings looked at before sizes are made one: some 20 ms."""


class Sizes(NamedTuple):
    """Z sizes and N contents, pool by pool."""

    option_size: Ints
    """[O]: -1 where no node of the pool can hold an instance."""
    first_size: Ints
    """[P + 1]"""
    use: Ints
    """[Z, R]: what an instance takes at least; a size that takes nothing can have no price."""
    first_content: Ints
    """[P + 1]"""
    content: Ints
    """[N, most sizes of a pool]: instances of the first, the second … size of the pool."""


def sizes(problem: PackedProblem) -> Sizes:
    """The sizes of all pools; pools whose nodes and options are alike are worked out once."""
    stands = (problem.option_use <= problem.pool_capacity[problem.option_pool]).all(axis=1)
    stands &= problem.pool_nodes[problem.option_pool] > 0
    alike, example = _alike(problem.option_use)
    by_pool = np.argsort(problem.option_pool, kind="stable")
    first = np.searchsorted(problem.option_pool[by_pool], np.arange(problem.pool_nodes.size + 1))
    option_size, known = np.full(problem.option_pool.size, -1), dict[bytes, tuple[Ints, Ints, list[tuple[int, ...]]]]()
    used, contents, first_size, first_content = list[Ints](), list[tuple[int, ...]](), [0], [0]
    for pool, capacity in enumerate(problem.pool_capacity):
        here = by_pool[first[pool] : first[pool + 1]]
        here = here[stands[here]]
        if here.size:
            found, member = np.unique(alike[here], return_inverse=True)
            uses = problem.option_use[example[found]]
            key = capacity.tobytes() + uses.tobytes()
            if key not in known:
                known[key] = _grouped(uses, capacity)
            group, least, filled = known[key]
            option_size[here] = first_size[-1] + group[member]
            used.extend(least)
            contents.extend(filled)
        first_size.append(len(used))
        first_content.append(len(contents))
    use = np.array(used, np.int64).reshape(len(used), problem.option_use.shape[1])
    return Sizes(option_size, np.array(first_size), use, np.array(first_content), _table(contents))


def _alike(use: Ints) -> tuple[Ints, Ints]:
    """A number for each row, the same for equal rows, and for each number a row that has it."""
    number = np.zeros(len(use), np.int64)
    for column in use.T:
        values, value = np.unique(column, return_inverse=True)
        number = np.unique(number * values.size + value, return_inverse=True)[1]
    return number, np.unique(number, return_index=True)[1]


def _table(contents: Sequence[tuple[int, ...]]) -> Ints:
    table = np.zeros((len(contents), max(map(len, contents), default=0)), np.int64)
    for row, content in zip(table, contents, strict=True):
        row[: len(content)] = content
    return table


def _grouped(uses: Ints, capacity: Ints) -> tuple[Ints, Ints, list[tuple[int, ...]]]:
    """The group of each use, what the least of a group takes, and the contents: as many groups as can be listed.

    Uses are one group when as many fit on a node alone, then when twice as many do, and the same resource limits them.
    """
    fits, limit = _fits(uses, capacity)
    for key in (np.arange(len(uses)), fits, np.log2(fits).astype(np.int64)):
        group = np.unique(np.stack((key, limit), axis=1), axis=0, return_inverse=True)[1].reshape(-1)
        least = np.array([uses[group == one].min(axis=0) for one in range(group.max() + 1)])
        filled = fillings(least.tolist(), capacity.tolist())
        if filled is not None:
            return group, least, filled
    least = uses.min(axis=0, keepdims=True)
    return np.zeros(len(uses), np.int64), least, [(fitting(least[0].tolist(), capacity.tolist()),)]


def _fits(uses: Ints, capacity: Ints) -> tuple[Ints, Ints]:
    """How many of each fit on a node alone, and which resource limits them."""
    fits = np.where(uses > 0, capacity // np.maximum(uses, 1), np.iinfo(np.int64).max)
    return fits.min(axis=1), fits.argmin(axis=1)


def fillings(uses: Sequence[Sequence[int]], capacity: Sequence[int]) -> list[tuple[int, ...]] | None:
    """Every way to fill a node until nothing more fits; None where there are too many.

    What takes nothing is left out of them.
    """
    found, tries = list[tuple[int, ...]](), 0
    unfinished: list[tuple[tuple[int, ...], tuple[int, ...]]] = [((), tuple(capacity))]
    while unfinished:
        counts, room = unfinished.pop()
        if len(counts) == len(uses):
            if not any(fitting(use, room) for use in uses):
                found.append(counts)
            continue
        use = uses[len(counts)]
        most = fitting(use, room)
        tries += 1 + most
        if tries > MOST_TRIES or len(found) > MOST_CONTENTS:
            return None
        for count in range(most if len(counts) + 1 == len(uses) else 0, most + 1):
            left = tuple(has - count * takes for has, takes in zip(room, use, strict=True))
            unfinished.append(((*counts, count), left))
    return found if len(found) <= MOST_CONTENTS else None


def fitting(use: Sequence[int], room: Sequence[int]) -> int:
    """How many of a size fit into what is left of a node; none of what takes nothing."""
    return min((has // takes for has, takes in zip(room, use, strict=True) if takes > 0), default=0)
