"""What instances of one model must offer, as linear rows without a variable for any route.

Requests find instances when for every subset T of the demands those that reach any of T offer what T asks for beyond
what stays unserved of it (see `covering`):

    sum over options that reach T of min(offered, asked(T)) * instances + unserved(T) >= asked(T)

One instance that offers all of asked(T) settles the row whatever else there is, so the cut at asked(T) changes no whole
solution, and makes the relaxed ones much dearer.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from controller.planning.fleet.packed import Ints

Flags = npt.NDArray[np.bool_]


class CoverRows(NamedTuple):
    """The rows that imply all others, [T] of them."""

    subset: Ints
    """[T]: demands, as bits."""
    asked: Ints
    """[T]: what they ask for together."""
    offered: Ints
    """[T, O]: what an instance of each option counts for."""


def cover_rows(reach: Ints, offered: Ints, asked: Ints) -> CoverRows:
    """For options with `reach` and `offered` [O], and demands that ask for `asked` [D], in any one unit."""
    subsets = _telling(reach, asked.size)
    sums = subset_sums(asked)[subsets]
    rows = sums > 0
    subsets, sums = subsets[rows], sums[rows]
    counts = np.where(_hit(reach, subsets), np.minimum(offered, sums[:, None]), 0)
    return CoverRows(subsets, sums, counts)


def rounded(rows: CoverRows) -> CoverRows:
    """What follows from the rows for whole instances, by mixed-integer rounding (Nemhauser and Wolsey 1990).

    With a = asked, c = offered, any d that an option offers and r = a mod d:
    sum (r * floor(c / d) + min(r, c mod d)) * instances + unserved >= r * ceil(a / d).
    """
    subset, asked, offered = [], [], []
    for bits, wanted, counts in zip(rows.subset.tolist(), rows.asked.tolist(), rows.offered, strict=True):
        for unit in np.unique(counts[(counts > 0) & (wanted % np.maximum(counts, 1) > 0)]).tolist():
            rest = wanted % unit
            subset.append(bits)
            asked.append(rest * -(-wanted // unit))
            offered.append(rest * (counts // unit) + np.minimum(rest, counts % unit))
    shape = (len(offered), rows.offered.shape[1])
    return CoverRows(np.array(subset, np.int64), np.array(asked, np.int64), np.array(offered, np.int64).reshape(shape))


def subset_sums(asked: Ints) -> Ints:
    """[2^D]: what the demands of each subset ask for together."""
    sums = np.zeros(1, np.int64)
    for one in asked.tolist():
        sums = np.concatenate((sums, sums + one))
    return sums


def unserved(reach: Ints, offered: Ints, asked: Ints) -> Ints:
    """[D]: what stays unserved of each demand, the dearest first, when `offered` counts all instances of an option."""
    subsets = np.arange(1 << asked.size)
    gaps = subset_sums(asked) - _hit(reach, subsets) @ offered
    short = np.maximum.accumulate(gaps)[(1 << np.arange(asked.size + 1)) - 1]
    lost: Ints = np.diff(short)
    return lost


def _telling(reach: Ints, demands: int) -> Ints:
    """The subsets whose rows do not follow from others'.

    A row follows from that of a larger set which the same options reach, and, where no option reaches two parts of a
    set, from the rows of the parts. Demands that nothing reaches are in no row: all of them is unserved.
    """
    reached = np.bitwise_or.reduce(reach, initial=0)
    subsets = np.arange(1, 1 << demands)
    subsets = subsets[(subsets & ~reached) == 0]
    missing = np.where(_hit(reach, subsets), 0, reach)
    largest = (reached & ~subsets & ~np.bitwise_or.reduce(missing, axis=1, initial=0)) == 0
    subsets = subsets[largest]
    part = subsets & -subsets
    for _ in range(demands - 1):
        joined = np.where(_hit(reach, part), reach, 0)
        part = part | (np.bitwise_or.reduce(joined, axis=1, initial=0) & subsets)
    whole: Ints = subsets[part == subsets]
    return whole


def _hit(reach: Ints, subsets: Ints) -> Flags:
    hit: Flags = (reach & subsets[:, None]) != 0
    return hit
