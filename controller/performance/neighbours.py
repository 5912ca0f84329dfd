"""What is busy beside an instance: the other instances on its node's device, its own variant's included."""

from collections.abc import Iterable, Mapping

from controller.performance.interference import Company, Name
from rules.kernel.problem import Node, Placement, Running


def company(
    placement: Placement, instances: Iterable[Running], busy: Mapping[Placement, float], nodes: Iterable[Node]
) -> Company:
    """How many instances of each variant are busy beside one of this placement, on average over its instances.

    `busy` counts the busy instances of a placement on all its nodes together, each of them as busy as the others. Where
    none of the placement stands yet, it may come to each node of its pool.
    """
    by_node: dict[str, dict[Placement, int]] = {node.name: {} for node in nodes if node.pool == placement.pool}
    totals: dict[Placement, int] = {}
    for item in instances:
        if item.placement.pool == placement.pool:
            here = by_node.setdefault(item.node, {})
            here[item.placement] = here.get(item.placement, 0) + item.count
            totals[item.placement] = totals.get(item.placement, 0) + item.count
    found: dict[Name, float] = {}
    for here in by_node.values():
        part = here.get(placement, 0) / totals[placement] if placement in totals else 1 / len(by_node)
        for other, count in here.items():
            others = count - 1 if other == placement else count
            beside = part * others * min(1.0, busy.get(other, 0.0) / totals[other])
            if beside:
                name = (other.model, other.variant)
                found[name] = found.get(name, 0.0) + beside
    return found
