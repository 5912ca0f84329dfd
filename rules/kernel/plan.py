"""A plan: how many instances of each option stand on each node, and where each demand's requests go."""

from collections.abc import Iterable
from dataclasses import dataclass

from rules.kernel.problem import Placement, Problem


@dataclass(frozen=True, slots=True, order=True)
class Instances:
    """`count` instances of an option on a node."""

    option: str
    node: str
    count: int


@dataclass(frozen=True, slots=True, order=True)
class Route:
    """The share of its demand that takes a path."""

    path: str
    share_permille: int


@dataclass(frozen=True, slots=True, order=True)
class Unserved:
    """The share of a demand that is refused."""

    demand: str
    share_permille: int


@dataclass(frozen=True, slots=True, order=True)
class Degraded:
    """How many steps of its degrade order a service has taken.

    One more than it has steps means best effort: its order was not enough. Then any share may go unserved, and its
    availability is not promised; what can be served still is.
    """

    service: str
    level: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What stands where and what goes where. Entries that would be 0 are left out; order carries no meaning."""

    instances: tuple[Instances, ...] = ()
    routes: tuple[Route, ...] = ()
    unserved: tuple[Unserved, ...] = ()
    degraded: tuple[Degraded, ...] = ()

    def count(self, options: Iterable[str], nodes: Iterable[str] | None = None) -> int:
        """Instances of these options, on these nodes or on all."""
        wanted, places = frozenset(options), None if nodes is None else frozenset(nodes)
        return sum(
            item.count for item in self.instances if item.option in wanted and (places is None or item.node in places)
        )

    def level(self, service: str) -> int:
        """How many degrade steps the service has taken."""
        return next((item.level for item in self.degraded if item.service == service), 0)

    def unserved_permille(self, demand: str) -> int:
        """The share of the demand that is refused."""
        return sum(item.share_permille for item in self.unserved if item.demand == demand)

    def powered(self) -> frozenset[str]:
        """The nodes that hold an instance."""
        return frozenset(item.node for item in self.instances if item.count > 0)

    def used_options(self) -> frozenset[str]:
        """The options with at least one instance."""
        return frozenset(item.option for item in self.instances if item.count > 0)

    def placements(self, problem: Problem) -> dict[Placement, int]:
        """Instances by placement."""
        counts: dict[Placement, int] = {}
        for item in self.instances:
            placement = problem.option(item.option).placement
            counts[placement] = counts.get(placement, 0) + item.count
        return counts
