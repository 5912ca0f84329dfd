"""From pools back to nodes: a plan whose instances stand on nodes, where a greedy order finds room for them.

Large instances first, each on the emptiest node that holds it and has the fewest of its kind, so that the instances of
an option end up apart. Where that leaves something over, each goes on the fullest node that holds it.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from controller.planning.pooled.form import PooledForm
from controller.planning.pooled.packing import packed
from rules.kernel.formulation import Formulation, Resource
from rules.kernel.plan import Degraded, Instances, Plan, Route, Unserved

SIGNS: Final = (1.0, -1.0)
"""Which nodes are looked at first: the emptiest, the fullest."""
MORE_NODES: Final = (0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 1000)
UNLIMITED: Final = 1e15
"""The room of a node that a resource says nothing of."""


def on_nodes(form: Formulation, pooled: PooledForm, values: Sequence[int]) -> Plan | None:
    """The plan of a solution in whole numbers; None when no room was found for some instance."""
    standing: list[Instances] = []
    resources = _by_pool(form, pooled)
    for pool, names in pooled.nodes.items():
        here = [o.id for o in pooled.options[pool] if values[pooled.instances[o.id]]]
        found = _packed(here, values, resources.get(pool, []), pooled, pool) if here else []
        if found is None:
            return None
        standing += [Instances(here[kind], names[at], count) for kind, at, count in found]
    return Plan(
        instances=tuple(sorted(standing)),
        routes=tuple(sorted(Route(name, values[i]) for name, i in pooled.share.items() if values[i])),
        unserved=tuple(sorted(Unserved(name, values[i]) for name, i in pooled.unserved.items() if values[i])),
        degraded=_degraded(pooled, values),
    )


def _by_pool(form: Formulation, pooled: PooledForm) -> Mapping[str, list[Resource]]:
    """By pool, the resources of its nodes."""
    found: defaultdict[str, list[Resource]] = defaultdict(list)
    for row in form.rows:
        if isinstance(row, Resource):
            for pool in dict.fromkeys(pooled.pool[node] for node, _ in row.capacity):
                found[pool].append(row)
    return found


def _degraded(pooled: PooledForm, values: Sequence[int]) -> tuple[Degraded, ...]:
    levels: dict[str, int] = {}
    for (service, _), step in pooled.at_least.items():
        levels[service] = levels.get(service, 0) + values[step]
    return tuple(sorted(Degraded(service, level) for service, level in levels.items() if level))


def _packed(
    options: list[str], values: Sequence[int], resources: list[Resource], pooled: PooledForm, pool: str
) -> list[tuple[int, int, int]] | None:
    """(option's place in `options`, node's place in its pool, instances), where room was found for all; else None.

    On as many nodes as the solution powers, else on a few more; those with the most room first.
    """
    uses, capacities = [dict(row.use) for row in resources], [dict(row.capacity) for row in resources]
    size = np.array([[use.get(name, 0) for use in uses] for name in options], np.float64).reshape(len(options), -1)
    names = pooled.nodes[pool]
    room = np.array([[row.get(node, UNLIMITED) for row in capacities] for node in names], np.float64)
    room = room.reshape(len(names), -1)
    most_first = np.lexsort(-room.T) if resources else np.arange(len(names))
    largest = np.maximum(1.0, room.max(axis=0, initial=0.0))
    part = (size / largest).max(axis=1, initial=0.0)
    order = sorted(range(len(options)), key=lambda kind: (-part[kind], options[kind]))
    count = np.array([values[pooled.instances[options[kind]]] for kind in order], np.int64)
    powered = values[pooled.powered[pool]]
    for most in dict.fromkeys(min(len(names), powered + more) for more in MORE_NODES):
        for sign in SIGNS:
            standing = packed(count, size[order], room[most_first[:most]], sign)
            if standing.size:
                kinds, nodes = np.nonzero(standing)
                found = zip(kinds.tolist(), nodes.tolist(), standing[kinds, nodes].tolist(), strict=True)
                return [(order[kind], int(most_first[at]), number) for kind, at, number in found]
    return None
