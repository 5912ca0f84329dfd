"""Nodes that are alike, so that what is decided is how many of a kind are used and not which."""

from typing import NamedTuple

import numpy as np

from controller.planning.fleet.packed import Floats, Ints, PackedPlan, PackedProblem, first_nodes


class Rooms(NamedTuple):
    """K kinds of nodes: those of one pool on which the same is left, and which cost the same to use."""

    pool: Ints
    """[K]"""
    left: Ints
    """[K, R]: what a node still has."""
    price: Floats
    """[K]: what using a node costs, nothing where something stands already."""
    nodes: tuple[Ints, ...]
    """[K]: the numbers of these nodes."""


def rooms(problem: PackedProblem, standing: PackedPlan, pools: Ints) -> Rooms:
    """The nodes of these pools beside instances that stay where they are."""
    first = first_nodes(problem)
    used, place = np.unique(standing.instance_node, return_inverse=True)
    pool = np.searchsorted(first, used, side="right") - 1
    left = problem.pool_capacity[pool]
    np.subtract.at(left, place, problem.option_use[standing.instance_option])
    among = np.isin(pool, pools)
    begun = _alike(pool[among], left[among], used[among])
    free = [(at, np.setdiff1d(np.arange(first[at], first[at + 1]), used, assume_unique=True)) for at in pools.tolist()]
    empty = [(at, nodes) for at, nodes in free if nodes.size]
    fresh = np.array([at for at, _ in empty], np.int64)
    return Rooms(
        np.concatenate((begun.pool, fresh)),
        np.concatenate((begun.left, problem.pool_capacity[fresh])),
        np.concatenate((begun.price, problem.pool_price[fresh])),
        (*begun.nodes, *(nodes for _, nodes in empty)),
    )


def _alike(pool: Ints, left: Ints, nodes: Ints) -> Rooms:
    """Nodes that are in use already, by kind."""
    kinds, place = np.unique(np.column_stack((pool, left)), axis=0, return_inverse=True)
    order = np.argsort(place.ravel(), kind="stable")
    ends = np.cumsum(np.bincount(place.ravel(), minlength=len(kinds)))[:-1]
    members = np.split(nodes[order], ends) if len(kinds) else []
    return Rooms(kinds[:, 0], kinds[:, 1:], np.zeros(len(kinds)), tuple(members))
