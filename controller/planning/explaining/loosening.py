"""One change to what is asked for or to what there is, and the smallest of many that is enough."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from controller.planning.explaining.clauses import Edit
from rules.kernel.problem import Node

MOST_STEPS: Final = 64
"""Counts are loosened by at most so many; a pool grows by at most so many nodes above what pools alone tell."""


@dataclass(frozen=True, slots=True)
class Loosening:
    """A change that is enough, of rows or by nodes that are added: in words, and by how much.

    `least` tells whether a little less is proven not to be enough.
    """

    what: str
    amount: int
    least: bool
    edit: Edit
    nodes: tuple[Node, ...] = ()


def smallest(steps: Iterable[int], enough: Callable[[int], bool | None]) -> tuple[int, bool] | None:
    """The first step that is enough, by halving, and whether the one before is proven not to be; None for none."""
    listed = list(steps)
    low, high = 0, len(listed)
    answers: dict[int, bool | None] = {}
    while low < high:
        middle = (low + high) // 2
        answers[middle] = enough(listed[middle])
        low, high = (low, middle) if answers[middle] else (middle + 1, high)
    if low == len(listed):
        return None
    return listed[low], low == 0 or answers.get(low - 1) is False
