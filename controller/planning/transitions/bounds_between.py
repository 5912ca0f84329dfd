"""What may not be passed on the way between two plans, beside what the rules hold always."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

from controller.planning.objective import links_per_hour
from controller.planning.transitions.between import Between, Spot
from controller.planning.transitions.ground import Ground
from policy.resolved import AvailabilityObjective
from rules.kernel.problem import Placement


@dataclass(frozen=True)
class Bounds:
    """Memory, ceilings and least numbers. What was passed at `start` already may stay so, and not get worse.

    Without `kept`, only memory and capacity bound the steps: the promises of the settled fleet give way.
    """

    ground: Ground
    start: Between
    kept: bool = True

    def room(self, counts: Mapping[Spot, int]) -> Counter[str]:
        """MiB left on each node, below 0 where more stands than fits."""
        left = self._beside_still.copy()
        for (placement, node), count in counts.items():
            left[node] -= count * self.ground.sizes[placement].memory_mib
        for item in self.ground.problem.begun:
            if item.placement in self.ground.sizes:
                more = max(0, item.count - counts.get((item.placement, item.node), 0))
                left[item.node] -= more * self.ground.sizes[item.placement].memory_mib
        return left

    def affordable(self, powered: AbstractSet[str], node: str) -> bool:
        """Whether a further node may be powered beside these."""
        if not self.kept or node in powered:
            return True
        for site, ceiling in self._ceilings.items():
            if site in {"", self._site[node]} and self._spent({*powered, node}, site) > ceiling:
                return False
        return True

    def least(self, placement: Placement) -> int:
        """The floor of a placement: what the scaling policy lets go of it in one step is above it."""
        return self._floors.get(placement, 0) if self.kept else 0

    def may_go(self, counts: Mapping[Spot, int], spot: Spot, count: int) -> bool:
        """Whether `count` instances may leave a spot, as far as replica bounds and availability ask for them."""
        return not self.kept or (self._replicas_left(counts, spot, count) and self._spread_left(counts, spot, count))

    @cached_property
    def _beside_still(self) -> Counter[str]:
        left = Counter({node: self._memory_mib[pool] for node, pool in self.ground.node_pool.items()})
        for (placement, node), count in self.start.still.counts.items():
            left[node] -= count * self.ground.sizes[placement].memory_mib
        return left

    @cached_property
    def _memory_mib(self) -> dict[str, int]:
        return {pool.name: pool.memory_mib for pool in self.ground.problem.policy.pools}

    @cached_property
    def _floors(self) -> dict[Placement, int]:
        return {floor.placement: floor.minimum for floor in self.ground.problem.floors}

    @cached_property
    def _pool_site(self) -> dict[str, str]:
        return {pool.name: pool.site for pool in self.ground.problem.policy.pools}

    @cached_property
    def _site(self) -> dict[str, str]:
        return {node: self._pool_site[pool] for node, pool in self.ground.node_pool.items()}

    @cached_property
    def _price(self) -> dict[str, int]:
        prices = {pool.name: pool.price_millicents_per_hour for pool in self.ground.problem.policy.pools}
        return {node: prices[pool] for node, pool in self.ground.node_pool.items()}

    @cached_property
    def _ceilings(self) -> dict[str, int]:
        """What is left for nodes of the least ceiling by site ('' for the fleet), or what they cost at the start.

        Links take what they cost at the start; where routes move, the verifier sees what they cost then.
        """
        found: dict[str, int] = {}
        powered = self.start.powered()
        plan = self.ground.plan(self.start)
        for ceiling in (each for each in self.ground.problem.policy.cost.ceilings if each.is_of_nodes):
            links = links_per_hour(plan, self.ground.problem, ceiling.site) if plan else 0
            limit = max(ceiling.millicents_per_hour - links, self._spent(powered, ceiling.site))
            found[ceiling.site] = min(limit, found.get(ceiling.site, limit))
        return found

    def _spent(self, powered: Iterable[str], site: str) -> int:
        return sum(self._price[node] for node in powered if site in {"", self._site[node]})

    def _replicas_left(self, counts: Mapping[Spot, int], spot: Spot, count: int) -> bool:
        model, site = spot[0].model, self._site[spot[1]]
        for bound in self.ground.problem.policy.scaling.bounds:
            if bound.model == model and bound.site in {"", site} and bound.minimum:
                standing = sum(
                    many
                    for (placement, node), many in chain(counts.items(), self.start.still.counts.items())
                    if placement.model == model and bound.site in {"", self._site[node]}
                )
                if standing - count < bound.minimum:
                    return False
        return True

    @cached_property
    def _asked(self) -> dict[str, tuple[tuple[frozenset[Placement], AvailabilityObjective], ...]]:
        """By model: the placements that a stage may stand on, and in how many places it must."""
        usable: defaultdict[tuple[str, int], set[Placement]] = defaultdict(set)
        problem = self.ground.problem
        asking = {s.name: s for s in problem.policy.services if s.availability}
        services = {demand.id: demand.service for demand in problem.demands}
        placements = {option.id: option.placement for option in problem.options}
        for path in problem.paths:
            service = services[path.demand]
            for index, option in enumerate(path.options) if service in asking else ():
                usable[service, index].add(placements[option])
        found: defaultdict[str, list[tuple[frozenset[Placement], AvailabilityObjective]]] = defaultdict(list)
        for (service, index), stages in usable.items():
            asked = asking[service].availability
            if asked:
                model = asking[service].stages[index].model
                found[model].append((frozenset(stages), asked))
        return {model: tuple(items) for model, items in found.items()}

    def _spread_left(self, counts: Mapping[Spot, int], spot: Spot, count: int) -> bool:
        if counts[spot] > count:
            return True
        for placements, asked in self._asked.get(spot[0].model, ()):
            if spot[0] in placements:
                others = {
                    node
                    for (place, node), many in chain(counts.items(), self.start.still.counts.items())
                    if many and place in placements and (place, node) != spot
                }
                here = others | {spot[1]}
                rack = self.ground.problem.rack_of
                if (
                    len(others) < min(asked.nodes, len(here))
                    or len({self._site[n] for n in others}) < min(asked.sites, len({self._site[n] for n in here}))
                    or len({rack(n) for n in others}) < min(asked.racks, len({rack(n) for n in here}))
                ):
                    return False
        return True
