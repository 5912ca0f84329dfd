"""What is busy beside an instance: the other instances on its node's device, its own variant's included."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from controller.performance.interference import Company, Name
from rules.kernel.problem import Node, Placement, Running

Busy = Mapping[Placement, float]
"""The busy instances of a placement on all the nodes that are looked at, each of them as busy as the others."""
Often = Mapping[Placement, float]
"""Which part of the time an instance of each placement is busy."""


@dataclass(frozen=True)
class Neighbours:
    """The instances on each node of one pool."""

    nodes: Mapping[str, Mapping[Placement, int]]

    @cached_property
    def totals(self) -> Mapping[Placement, int]:
        """Instances by placement."""
        found: dict[Placement, int] = {}
        for here in self.nodes.values():
            for placement, count in here.items():
                found[placement] = found.get(placement, 0) + count
        return found

    @cached_property
    def _beside(self) -> Mapping[Placement, tuple[Mapping[Placement, int], ...]]:
        """What stands on each of the nodes of a placement."""
        found: defaultdict[Placement, list[Mapping[Placement, int]]] = defaultdict(list)
        for here in self.nodes.values():
            for placement in here:
                found[placement].append(here)
        return {placement: tuple(nodes) for placement, nodes in found.items()}

    def on(self, node: str) -> "Neighbours":
        """Those of one node alone."""
        return Neighbours({node: self.nodes.get(node, {})})

    def company(self, placement: Placement, often: Often) -> Company:
        """How many instances of each variant are busy beside one of this placement, on average over its instances."""
        if placement not in self.totals:
            return self.awaiting(often)
        total, found = self.totals[placement], dict[Name, float]()
        for here in self._beside[placement]:
            _add(found, here, here[placement] / total, often, placement)
        return found

    def awaiting(self, often: Often) -> Company:
        """The company of a placement of which nothing stands yet, and which may come to each node."""
        found = dict[Name, float]()
        for here in self.nodes.values():
            _add(found, here, 1 / len(self.nodes), often)
        return found

    def often(self, busy: Busy) -> Often:
        """How often instances that stand here are busy; the same for the company of each of them."""
        return {placement: min(1.0, busy.get(placement, 0.0) / total) for placement, total in self.totals.items()}


def _add(
    found: dict[Name, float],
    here: Mapping[Placement, int],
    part: float,
    often: Mapping[Placement, float],
    itself: Placement | None = None,
) -> None:
    """Add what stands on one node, which counts for a part of the average."""
    for other, count in here.items():
        others = count - 1 if other == itself else count
        beside = part * others * often[other]
        if beside:
            name = (other.model, other.variant)
            found[name] = found.get(name, 0.0) + beside


def by_pool(instances: Iterable[Running], nodes: Iterable[Node]) -> defaultdict[str, Neighbours]:
    """The neighbours in each pool; none in a pool without nodes."""
    standing: defaultdict[str, dict[str, dict[Placement, int]]] = defaultdict(dict)
    for node in nodes:
        standing[node.pool][node.name] = {}
    for item in instances:
        here = standing[item.placement.pool].setdefault(item.node, {})
        here[item.placement] = here.get(item.placement, 0) + item.count
    return defaultdict(lambda: Neighbours({}), {pool: Neighbours(names) for pool, names in standing.items()})
