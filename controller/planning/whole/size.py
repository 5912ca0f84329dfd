"""Whether a problem can be solved whole, or is a matter for the fleet engine."""

from collections import Counter
from typing import Final

from rules.kernel.problem import Problem

MOST_STANDS: Final = 800
"""Pairs of an option and a node up to which a problem is solved whole."""


def is_small(problem: Problem) -> bool:
    """Whether CP-SAT can be expected to find the best plan of the problem as it is."""
    nodes = Counter(node.pool for node in problem.nodes)
    return sum(nodes[option.placement.pool] for option in problem.options) <= MOST_STANDS
