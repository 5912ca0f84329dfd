"""A judge of moments between two plans. It knows the policy's sentences and shares nothing with the planner or rules.

It reads what stands and what is routed as plain tables: instances by (placement, node), a batching by placement, and
for each demand the shares by way.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from moving_fleets import SHARE_PERMILLE, Move

from rules.kernel.plan import Plan
from rules.kernel.problem import Placement

Counts = Mapping[tuple[Placement, str], int]
Batching = Mapping[Placement, tuple[int, int]]
Routing = Mapping[str, Mapping[tuple[Placement, ...], int]]


@dataclass(frozen=True)
class Seen:
    """One moment."""

    standing: Counts
    batching: Batching
    routing: Routing

    def totals(self) -> Counter[Placement]:
        found: Counter[Placement] = Counter()
        for (placement, _), count in self.standing.items():
            found[placement] += count
        return found


def seen(move: Move, plan: Plan) -> Seen:
    """A plan as a moment, read off its options and paths."""
    options = {option.id: option for option in move.problem.options}
    paths = {path.id: path for path in move.problem.paths}
    standing: Counter[tuple[Placement, str]] = Counter()
    batching = {}
    for item in plan.instances:
        option = options[item.option]
        standing[option.placement, item.node] += item.count
        batching[option.placement] = (option.max_batch, option.queue_delay_us)
    routing: dict[str, dict[tuple[Placement, ...], int]] = {demand.id: {} for demand in move.problem.demands}
    for route in plan.routes:
        way = tuple(options[option].placement for option in paths[route.path].options)
        routing[paths[route.path].demand][way] = route.share_permille
    return Seen(standing, batching, routing)


class Judge:
    """Finds what a moment, or the change from one moment to the next, does that it must not."""

    def __init__(self, move: Move) -> None:
        self.move = move
        problem = move.problem
        self.start, self.goal = seen(move, move.start), seen(move, move.goal)
        self.pool_of = {node.name: node.pool for node in problem.nodes}
        self.pools = {pool.name: pool for pool in problem.policy.pools}
        self.memory = {option.placement: option.memory_mib for option in problem.options}
        self.services = {service.name: service for service in problem.policy.services}
        self.demands = {demand.id: demand for demand in problem.demands}
        used = {item.option for plan in (move.start, move.goal) for item in plan.instances}
        self.answers: dict[tuple[Placement, tuple[int, int]], int] = {}
        loads: defaultdict[Placement, int] = defaultdict(int)
        for option in problem.options:
            if option.id in used:
                loads[option.placement] = max(loads[option.placement], option.load_permille)
        for option in problem.options:
            if option.load_permille <= loads[option.placement]:
                key = (option.placement, (option.max_batch, option.queue_delay_us))
                self.answers[key] = max(self.answers.get(key, 0), option.capacity_milli_rps)

    def moment(self, now: Seen) -> Iterator[str]:
        """What is wrong at a moment."""
        yield from self._memory(now.standing)
        yield from self._routes(now)
        yield from self._capacity(now)
        yield from self._spend(now)
        yield from self._shares(now)
        yield from self._spread(now)

    def change(self, before: Seen, after: Seen) -> Iterator[str]:
        """What is wrong while a wave is under way, in whatever order its actions are done."""
        both: Counter[tuple[Placement, str]] = Counter()
        for spot in {*before.standing, *after.standing}:
            one, other = before.standing.get(spot, 0), after.standing.get(spot, 0)
            anew = before.batching.get(spot[0]) != after.batching.get(spot[0]) and one and other
            both[spot] = one + other if anew else max(one, other)
        yield from self._memory(both)

    def _memory(self, standing: Counts) -> Iterator[str]:
        used: Counter[str] = Counter()
        for (placement, node), count in standing.items():
            used[node] += count * self.memory[placement]
        for node, mib in used.items():
            if mib > self.pools[self.pool_of[node]].memory_mib:
                yield f"memory: {node} holds {mib} MiB"

    def _routes(self, now: Seen) -> Iterator[str]:
        totals = now.totals()
        for demand, ways in now.routing.items():
            service = self.services[self.demands[demand].service]
            if sum(ways.values()) != 1000 or () in ways:
                yield f"routes: {demand} is not served in whole"
            for way in ways:
                for placement in way:
                    if not totals[placement]:
                        yield f"routes: {demand} goes to {placement}, which does not stand"
                    if "card" in service.data_classes and placement.pool not in self.move.certified:
                        yield f"compliance: {demand} goes to {placement}"

    def _capacity(self, now: Seen) -> Iterator[str]:
        calls: Counter[Placement] = Counter()
        for demand, ways in now.routing.items():
            asked = self.demands[demand]
            for way, share in ways.items():
                for stage, placement in zip(self.services[asked.service].stages, way, strict=True):
                    calls[placement] += share * asked.rate_milli_rps * stage.fanout
        totals = now.totals()
        for placement, wanted in calls.items():
            answers = self.answers.get((placement, now.batching.get(placement, (0, 0))), 0)
            if wanted > 1000 * totals[placement] * answers:
                yield f"capacity: {placement} gets {wanted}"

    def _spent(self, now: Seen) -> int:
        powered = {node for (_, node), count in now.standing.items() if count}
        return sum(self.pools[self.pool_of[node]].price_millicents_per_hour for node in powered)

    def _spend(self, now: Seen) -> Iterator[str]:
        for ceiling in self.move.problem.policy.cost.ceilings:
            if self._spent(now) > ceiling.millicents_per_hour:
                yield f"budget: {self._spent(now)} an hour"

    def _shares(self, now: Seen) -> Iterator[str]:
        first, here = self.start.totals(), now.totals()
        for placement, count in first.items():
            if self.move.guarded and here[placement] < count - max(1, count * SHARE_PERMILLE // 1000):
                yield f"share: {placement} falls from {count} to {here[placement]}"
        for bound in self.move.problem.policy.scaling.bounds:
            if sum(count for placement, count in here.items() if placement.model == bound.model) < bound.minimum:
                yield f"replicas: {bound.model} below {bound.minimum}"

    def _spread(self, now: Seen) -> Iterator[str]:
        for service in self.services.values():
            for stage in service.stages if service.availability else ():
                nodes = {node for (placement, node), n in now.standing.items() if n and placement.model == stage.model}
                sites = {self.pools[self.pool_of[node]].site for node in nodes}
                asked = service.availability
                if asked and (len(nodes) < asked.nodes or len(sites) < asked.sites):
                    yield f"availability: {stage.model} of {service.name}"
