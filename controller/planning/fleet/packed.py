"""Placing instances on the nodes of a fleet, as arrays: the one form that every engine for large fleets reads.

Everything is numbered from 0. An *option* serves demands of one model from one pool at one setting; each instance of it
takes `option_use` of a node and answers `option_urps` of those demands of its model that it reaches in time. Requests
of a demand may be split over instances. Nodes of a pool are alike; a node costs its price as soon as anything stands
on it. A *pair* is a model in a pool: what already runs is counted by pairs, and each instance beyond it costs a start.

Rates are whole micro-requests a second (urps), so that sums are exact: rounded up for what is asked, down for what is
offered.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

MOST_DEMANDS: Final = 12
"""Of one model. What instances serve together is looked up by subsets of its demands, so each more doubles the work."""
URPS: Final = 1_000_000


class PackedProblem(NamedTuple):
    """P pools, R resources, M models, O options, D demands, C pairs; costs are in dollars an hour.

    The options of model m are `first_option[m]` to `first_option[m + 1] - 1`, its demands likewise. Within a model the
    demands stand in order of `demand_worth`, the dearest first. Bit i of `option_reach` is the i-th of its model's.
    """

    pool_nodes: Ints
    """[P]: nodes that there are."""
    pool_price: Floats
    """[P]: what a node costs that holds anything."""
    pool_capacity: Ints
    """[P, R]: what a node has, whole numbers of any unit."""
    first_option: Ints
    """[M + 1]"""
    option_pool: Ints
    """[O]"""
    option_use: Ints
    """[O, R]: what an instance takes of its node."""
    option_urps: Ints
    """[O]: what an instance can answer."""
    option_price: Floats
    """[O]: what an instance costs beside its node."""
    option_reach: Ints
    """[O]: which demands it may serve, as bits."""
    option_pair: Ints
    """[O]"""
    first_demand: Ints
    """[M + 1]"""
    demand_urps: Ints
    """[D]"""
    demand_worth: Floats
    """[D]: what it costs not to serve one micro-request a second."""
    pair_running: Ints
    """[C]: instances that run already."""
    start_price: float
    """What an instance costs beyond those that run."""


class PackedPlan(NamedTuple):
    """Which option each instance is of, and on which node it stands; nodes are numbered pool by pool."""

    instance_option: Ints
    """[I]"""
    instance_node: Ints
    """[I]"""


EMPTY: Final = PackedPlan(np.empty(0, np.int64), np.empty(0, np.int64))


def first_nodes(problem: PackedProblem) -> Ints:
    """[P + 1]: the number of each pool's first node, and of all nodes."""
    return np.concatenate(([0], np.cumsum(problem.pool_nodes)))
