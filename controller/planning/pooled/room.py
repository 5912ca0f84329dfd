"""What the nodes of a pool have room for, whichever of them it is."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from controller.planning.cpsat import MOST_INSTANCES
from rules.kernel.formulation import Formulation, Resource
from rules.kernel.problem import Problem


class Room(NamedTuple):
    """A resource that bounds every node of a pool: the most that one of them has, and what an instance takes."""

    resource: Resource
    largest: int
    use: Mapping[str, int]


def rooms(form: Formulation, pool: Mapping[str, str], nodes: Mapping[str, Sequence[str]]) -> Mapping[str, list[Room]]:
    """By pool, what bounds its nodes; `pool` has that of each node, `nodes` those of each pool."""
    found: defaultdict[str, list[Room]] = defaultdict(list)
    for row in form.rows:
        if isinstance(row, Resource):
            use = dict(row.use)
            for name, values in by_pool(row.capacity, pool).items():
                if len(values) == len(nodes[name]):
                    found[name].append(Room(row, max(values), use))
    return found


def by_pool(values: Iterable[tuple[str, int]], pool: Mapping[str, str]) -> dict[str, list[int]]:
    """The values of nodes, those of a pool together."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for node, value in values:
        found[pool[node]].append(value)
    return found


def most_on_a_node(problem: Problem, rooms: Mapping[str, Sequence[Room]]) -> tuple[dict[str, int], set[str]]:
    """The most instances of each option that any node of its pool has room for; and those that a resource bounds."""
    most = {option.id: MOST_INSTANCES for option in problem.options}
    bounded = set[str]()
    for option in problem.options:
        for room in rooms.get(option.placement.pool, ()):
            amount = room.use.get(option.id, 0)
            if amount > 0 and room.largest // amount <= MOST_INSTANCES:
                most[option.id] = min(most[option.id], room.largest // amount)
                bounded.add(option.id)
    return most, bounded
