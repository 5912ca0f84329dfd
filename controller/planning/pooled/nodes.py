"""From pools back to nodes: a plan whose instances stand on nodes, where a greedy order finds room for them.

Large instances first, each on the emptiest node that holds it and has the fewest of its kind, so that the instances of
an option end up apart. Where that leaves something over, each goes on the fullest node that holds it.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from controller.planning.pooled.form import PooledForm
from controller.planning.pooled.linear import Floats
from rules.kernel.formulation import Formulation, Resource
from rules.kernel.plan import Degraded, Instances, Plan, Route, Unserved

ORDERS: Final = (1.0, -1.0)
"""Which nodes are looked at first: the emptiest, the fullest."""
MORE_NODES: Final = (0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 1000)
UNLIMITED: Final = 1e15
"""The room of a node that a resource says nothing of."""


def on_nodes(form: Formulation, pooled: PooledForm, values: Sequence[int]) -> Plan | None:
    """The plan of a solution in whole numbers; None when no room was found for some instance."""
    resources = [row for row in form.rows if isinstance(row, Resource)]
    capacities = [dict(row.capacity) for row in resources]
    uses = [dict(row.use) for row in resources]
    standing: list[Instances] = []
    for pool, names in pooled.nodes.items():
        counts = {o.id: n for o in pooled.options[pool] if (n := values[pooled.instances[o.id]])}
        room = np.array([[capacity.get(node, UNLIMITED) for capacity in capacities] for node in names], np.float64)
        fullest = np.lexsort(-room.T) if resources else np.arange(len(names))
        size = {name: np.array([use.get(name, 0) for use in uses], np.float64) for name in counts}
        packed = _first_packed(counts, size, room[fullest], values[pooled.powered[pool]])
        if packed is None:
            return None
        standing += [Instances(name, names[fullest[at]], count) for (name, at), count in packed.items()]
    return Plan(
        instances=tuple(sorted(standing)),
        routes=tuple(sorted(Route(name, values[i]) for name, i in pooled.share.items() if values[i])),
        unserved=tuple(sorted(Unserved(name, values[i]) for name, i in pooled.unserved.items() if values[i])),
        degraded=_degraded(pooled, values),
    )


def _degraded(pooled: PooledForm, values: Sequence[int]) -> tuple[Degraded, ...]:
    levels: dict[str, int] = {}
    for (service, _), step in pooled.at_least.items():
        levels[service] = levels.get(service, 0) + values[step]
    return tuple(sorted(Degraded(service, level) for service, level in levels.items() if level))


def _first_packed(
    counts: Mapping[str, int], size: Mapping[str, Floats], room: Floats, powered: int
) -> dict[tuple[str, int], int] | None:
    """Packed on as many nodes as the solution powers, else on a few more."""
    for more in MORE_NODES:
        for order in ORDERS:
            packed = _packed(counts, size, room[: powered + more], order)
            if packed is not None:
                return packed
    return None


def _packed(
    counts: Mapping[str, int], size: Mapping[str, Floats], room: Floats, order: float
) -> dict[tuple[str, int], int] | None:
    """Instances by option and node, the nodes by their row in `room` [nodes, resources]; None when one is left over."""
    largest = np.maximum(1.0, room.max(axis=0, initial=0.0))
    left, standing = room.copy(), dict[tuple[str, int], int]()
    for name in sorted(counts, key=lambda name: (-(size[name] / largest).max(initial=0.0), name)):
        own = np.zeros(len(room))
        for _ in range(counts[name]):
            fits = np.flatnonzero((left >= size[name]).all(axis=1))
            if not fits.size:
                return None
            free = (left[fits] / largest).min(axis=1, initial=1.0)
            at = fits[np.argmax(order * (free - own[fits]))]
            own[at] += 1
            left[at] -= size[name]
            standing[name, int(at)] = int(own[at])
    return standing
