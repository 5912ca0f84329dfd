"""From pools back to nodes: a plan whose instances stand on nodes, where a greedy order finds room for them.

What is to be gathered comes first, in the first group of nodes that has room for all of it. Then large instances come
before small ones, each on the emptiest node that holds it and has the fewest of its kind, so that the instances of an
option end up apart. Where that leaves something over, each goes on the fullest node that holds it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from controller.planning.pooled.form import PooledForm
from controller.planning.pooled.packing import Floats, Ints, packed
from rules.kernel.formulation import Formulation, Gathered, Resource
from rules.kernel.plan import Degraded, Instances, Plan, Route, Unserved

SIGNS: Final = (1.0, -1.0)
"""Which nodes are looked at first: the emptiest, the fullest."""
MORE_NODES: Final = (0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 1000)
UNLIMITED: Final = 1e15
"""The room of a node that a resource says nothing of."""


@dataclass(frozen=True)
class Ground:
    """A pool's nodes with what stands on them, and what is still to be placed there: large options first."""

    nodes: tuple[str, ...]
    options: tuple[str, ...]
    count: Ints
    """[options]: instances that are left to place."""
    size: Floats
    """[options, resources]"""
    room: Floats
    """[nodes, resources]: what is left."""
    standing: Ints
    """[options, nodes]"""

    def with_all(self, options: NDArray[np.intp], nodes: NDArray[np.intp]) -> "Ground | None":
        """The ground with all that is left of some options placed on some nodes; None when one is left over."""
        for sign in SIGNS:
            found = packed(self.count[options], self.size[options], self.room[nodes], sign)
            if found.size or not self.count[options].any():
                count, room, standing = self.count.copy(), self.room.copy(), self.standing.copy()
                count[options] = 0
                if found.size:
                    room[nodes] -= found.T @ self.size[options]
                    standing[np.ix_(options, nodes)] += found
                return replace(self, count=count, room=room, standing=standing)
        return None

    def instances(self) -> list[Instances]:
        """What stands."""
        kinds, places = np.nonzero(self.standing)
        return [
            Instances(self.options[kind], self.nodes[at], int(self.standing[kind, at]))
            for kind, at in zip(kinds.tolist(), places.tolist(), strict=True)
        ]


def on_nodes(form: Formulation, pooled: PooledForm, values: Sequence[int]) -> Plan | None:
    """The plan of a solution in whole numbers; None when no room was found for some instance."""
    grounds = _grounds(form, pooled, values)
    for row in form.rows:
        if isinstance(row, Gathered):
            gathered = next(filter(None, (_in_group(row, group, grounds) for group in row.groups)), None)
            if gathered is None:
                return None
            grounds = {**grounds, **gathered}
    standing: list[Instances] = []
    for pool, ground in grounds.items():
        found = _on_few(ground, values[pooled.powered[pool]])
        if found is None:
            return None
        standing += found.instances()
    return Plan(
        instances=tuple(sorted(standing)),
        routes=tuple(sorted(Route(name, values[i]) for name, i in pooled.share.items() if values[i])),
        unserved=tuple(sorted(Unserved(name, values[i]) for name, i in pooled.unserved.items() if values[i])),
        degraded=_degraded(pooled, values),
    )


def _grounds(form: Formulation, pooled: PooledForm, values: Sequence[int]) -> dict[str, Ground]:
    """By pool, its nodes with nothing on them and what is to stand there; pools that hold nothing are left out."""
    resources: dict[str, list[Resource]] = {}
    for row in form.rows:
        if isinstance(row, Resource):
            for pool in dict.fromkeys(pooled.pool[node] for node, _ in row.capacity):
                resources.setdefault(pool, []).append(row)
    found = {}
    for pool, nodes in pooled.nodes.items():
        options = [o.id for o in pooled.options[pool] if values[pooled.instances[o.id]]]
        if options:
            count = {name: values[pooled.instances[name]] for name in options}
            found[pool] = _ground(tuple(nodes), count, resources.get(pool, []))
    return found


def _ground(nodes: tuple[str, ...], count: Mapping[str, int], resources: Sequence[Resource]) -> Ground:
    uses, capacities = [dict(row.use) for row in resources], [dict(row.capacity) for row in resources]
    room = np.array([[row.get(node, UNLIMITED) for row in capacities] for node in nodes], np.float64)
    room = room.reshape(len(nodes), -1)
    names = list(count)
    size = np.array([[use.get(name, 0) for use in uses] for name in names], np.float64).reshape(len(names), -1)
    largest = np.maximum(1.0, room.max(axis=0, initial=0.0))
    part = (size / largest).max(axis=1, initial=0.0)
    order = sorted(range(len(names)), key=lambda at: (-part[at], names[at]))
    return Ground(
        nodes,
        tuple(names[at] for at in order),
        np.array([count[names[at]] for at in order], np.int64),
        size[order],
        room,
        np.zeros((len(names), len(nodes)), np.int64),
    )


def _in_group(row: Gathered, group: Sequence[str], grounds: Mapping[str, Ground]) -> Mapping[str, Ground] | None:
    """The grounds that change where all that a row gathers is placed on the nodes of a group; None without the room."""
    wanted, there, found = set(row.options), set(group), {}
    for pool, ground in grounds.items():
        options = np.flatnonzero([name in wanted for name in ground.options])
        if ground.count[options].any():
            placed = ground.with_all(options, np.flatnonzero([node in there for node in ground.nodes]))
            if placed is None:
                return None
            found[pool] = placed
    return found


def _on_few(ground: Ground, powered: int) -> Ground | None:
    """The ground with everything placed on as many nodes as the solution powers, else on a few more.

    Nodes in use come first, then those with the most room.
    """
    is_used = ground.standing.any(axis=0)
    order = np.lexsort((*(-ground.room.T), ~is_used))
    everything = np.arange(len(ground.options))
    for most in dict.fromkeys(min(len(ground.nodes), powered + more) for more in MORE_NODES):
        placed = ground.with_all(everything, order[:most])
        if placed is not None:
            return placed
    return None


def _degraded(pooled: PooledForm, values: Sequence[int]) -> tuple[Degraded, ...]:
    levels: dict[str, int] = {}
    for (service, _), step in pooled.at_least.items():
        levels[service] = levels.get(service, 0) + values[step]
    return tuple(sorted(Degraded(service, level) for service, level in levels.items() if level))
