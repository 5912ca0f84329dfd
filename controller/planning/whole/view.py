"""What all neighbourhoods of a form need, found once."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from controller.planning.whole.reading import Hard, Reading
from controller.planning.whole.rows import Rows
from rules.kernel.formulation import Distinct, Flow
from rules.kernel.latest import Latest
from rules.kernel.problem import Demand

GAP_PART: Final = 1_000
"""A mended plan may cost more than the cheapest by such a part of what all nodes cost: proving the rest takes long."""


@dataclass(frozen=True)
class View:
    """What all neighbourhoods of a form need."""

    rows: Rows
    price: Mapping[str, float]

    @cached_property
    def demands_of(self) -> Mapping[str, tuple[Demand, ...]]:
        """By service."""
        found: defaultdict[str, list[Demand]] = defaultdict(list)
        for demand in self.rows.problem.demands:
            found[demand.service].append(demand)
        return {service: tuple(demands) for service, demands in found.items()}

    @cached_property
    def nodes_of(self) -> Mapping[str, tuple[str, ...]]:
        """By pool."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for node in self.rows.problem.nodes:
            found[node.pool].append(node.name)
        return {pool: tuple(nodes) for pool, nodes in found.items()}

    @cached_property
    def asked_of(self) -> Mapping[str, tuple[Hard, ...]]:
        """By service, the rows that are asked of it until it gives up."""
        found: defaultdict[str, list[Hard]] = defaultdict(list)
        for row in self.rows.hard:
            for service in row.services if isinstance(row, Distinct | Flow) else ():
                found[service].append(row)
        return {service: tuple(rows) for service, rows in found.items()}

    @cached_property
    def gap(self) -> int:
        """Millicents an hour that a mended plan may cost more than the cheapest."""
        return sum(self.rows.prices.nodes.values()) // GAP_PART

    @cached_property
    def load(self) -> Callable[[Reading], Mapping[str, float]]:
        """Of a plan, by node, the parts of it that its instances take, summed."""
        return Latest(self._load)

    def _load(self, at: Reading) -> Mapping[str, float]:
        found: defaultdict[str, float] = defaultdict(float)
        for (option, node), count in at.counts.items():
            found[node] += count * self.rows.parts.get(option, 0.0)
        return found
