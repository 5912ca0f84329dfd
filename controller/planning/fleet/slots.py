"""What fits on a node together, as slots.

A node is cut into slots of the sizes that instances of its pool have; which instance stands in which slot is settled
afterwards, so equal nodes need no numbers. Where sizes are nested (each takes no more of anything than the one before:
one resource and a number of slots, say) a slot hosts its own size and all that follow, and instances find places
exactly when, for every k, the slots of the first k sizes are at least as many as their instances (Hall 1935, for
nested sets). A cut is then dominated by any with as many slots of the first k sizes, for every k; few cuts are left.
Where sizes are not nested a slot hosts its own size only, and cuts are compared by size.
"""

import itertools
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np

from controller.planning.fleet.packed import Ints

MOST_CUTS: Final = 200
"""Of one kind of node. Where more are needed, nodes are told apart instead."""
MOST_TRIED: Final = 4_000

Vector = tuple[int, ...]


class Sizes(NamedTuple):
    """What instances in one pool may take of a node: each different vector once, the largest first."""

    use: tuple[Vector, ...]
    """[S] by the resources of `scarce`"""
    scarce: Ints
    """Resources that can run short."""
    nested: bool

    def levels(self, slots: Ints) -> Ints:
        """[..., S]: what is compared of numbers by size: those of the first k sizes, or of each size."""
        return np.cumsum(slots, axis=-1) if self.nested else slots


def sizes(use: Ints, left: Ints) -> tuple[Sizes, Ints]:
    """The sizes among vectors [N, R] on nodes with `left` [K, R]; and which of them each vector is."""
    scarce = _scarce(use, left)
    vectors = [tuple(vector) for vector in use[:, scarce].tolist()]
    distinct = sorted(set(vectors), reverse=True)
    nested = all(
        less <= more
        for larger, smaller in itertools.pairwise(distinct)
        for less, more in zip(smaller, larger, strict=True)
    )
    place = {vector: size for size, vector in enumerate(distinct)}
    return Sizes(tuple(distinct), scarce, nested), np.array([place[vector] for vector in vectors], np.int64)


def _scarce(use: Ints, left: Ints) -> Ints:
    """A resource that as many instances as another one admits cannot use up says nothing more."""
    least, most = use.min(axis=0), use.max(axis=0)
    admits = np.where(least > 0, left // np.maximum(least, 1), np.iinfo(np.int64).max)
    tightest = admits.argmin(axis=1)
    admitted = admits[np.arange(len(left)), tightest]
    short = (most > left // np.maximum(admitted, 1)[:, None]).any(axis=0)
    short[tightest] = True
    return np.flatnonzero(short)


def cuts(of: Sizes, left: Ints, most: int) -> Ints | None:
    """[Q, S]: the cuts of a node with `left` [R] that no other dominates, None when they are too many to use.

    Slots beyond `most` of a size are of no use to anybody.
    """
    room = tuple(left[of.scarce].tolist())
    return undominated(of.use, of.nested, room, max(fitting(of, left, most)))


def fitting(of: Sizes, left: Ints, most: int) -> list[int]:
    """[S]: how many instances of each size a node with `left` [R] holds when no others stand on it, up to `most`."""
    room = tuple(left[of.scarce].tolist())
    return [_fits(use, room, most) for use in of.use]


@lru_cache(maxsize=10_000)
def undominated(use: tuple[Vector, ...], nested: bool, room: Vector, most: int) -> Ints | None:  # noqa: FBT001 - a key
    """As `cuts`, of a node with `room`; nodes of many pools are alike, so it is remembered."""
    tried = list(itertools.islice(_fillings(use, 0, room, most, nested=nested), MOST_TRIED + 1))
    if len(tried) > MOST_TRIED:
        return None
    slots = np.array(tried, np.int64)
    levels = np.cumsum(slots, axis=1) if nested else slots
    kept: list[int] = []
    for index in np.argsort(-levels.sum(axis=1), kind="stable").tolist():
        if not (levels[kept] >= levels[index]).all(axis=1).any():
            kept.append(index)
        if len(kept) > MOST_CUTS:
            return None
    return slots[kept]


def _fillings(use: tuple[Vector, ...], size: int, room: Vector, most: int, *, nested: bool) -> Iterator[Vector]:
    """Slots of `size` and those after it, with none left out that could be added at the end."""
    fits = _fits(use[size], room, most)
    after = len(use) - 1 - size
    if after == 0 or (nested and fits >= _fits(use[-1], room, most)):
        yield (fits,) + (0,) * after
        return
    for slots in range(fits, -1, -1):
        left = tuple(has - slots * takes for has, takes in zip(room, use[size], strict=True))
        for rest in _fillings(use, size + 1, left, most, nested=nested):
            yield (slots, *rest)


def _fits(use: Vector, room: Vector, most: int) -> int:
    return max(0, min([most, *(has // takes for has, takes in zip(room, use, strict=True) if takes > 0)]))
