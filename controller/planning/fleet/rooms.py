"""Nodes that are alike, so that what is decided is how many of a kind are used and not which."""

from typing import NamedTuple

import numpy as np

from controller.planning.fleet.packed import Floats, Ints, PackedPlan, PackedProblem, first_nodes


class Begun(NamedTuple):
    """N nodes that hold something."""

    nodes: Ints
    """[N]"""
    pool: Ints
    """[N]"""
    left: Ints
    """[N, R]: what each still has."""


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


def begun(problem: PackedProblem, standing: PackedPlan) -> Begun:
    """The nodes on which instances stand."""
    nodes, place = np.unique(standing.instance_node, return_inverse=True)
    pool = np.searchsorted(first_nodes(problem), nodes, side="right") - 1
    left = problem.pool_capacity[pool]
    np.subtract.at(left, place, problem.option_use[standing.instance_option])
    return Begun(nodes, pool, left)


def rooms(problem: PackedProblem, standing: PackedPlan, pools: Ints) -> Rooms:
    """The nodes of these pools beside instances that stay where they are; those that hold something come first."""
    held = begun(problem, standing)
    among = np.isin(held.pool, pools)
    kinds, place = np.unique(np.column_stack((held.pool, held.left))[among], axis=0, return_inverse=True)
    order = np.argsort(place.ravel(), kind="stable")
    ends = np.cumsum(np.bincount(place.ravel(), minlength=len(kinds)))[:-1]
    shared = np.split(held.nodes[among][order], ends) if len(kinds) else []
    free = [_free(problem, held, pool) for pool in pools.tolist()]
    fresh = np.array([pool for pool, nodes in zip(pools.tolist(), free, strict=True) if nodes.size], np.int64)
    return Rooms(
        np.concatenate((kinds[:, 0], fresh)),
        np.concatenate((kinds[:, 1:], problem.pool_capacity[fresh])),
        np.concatenate((np.zeros(len(kinds)), problem.pool_price[fresh])),
        (*shared, *(nodes for nodes in free if nodes.size)),
    )


def _free(problem: PackedProblem, held: Begun, pool: int) -> Ints:
    first = int(problem.pool_nodes[:pool].sum())
    return np.setdiff1d(np.arange(first, first + problem.pool_nodes[pool]), held.nodes[held.pool == pool])
