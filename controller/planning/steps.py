"""Steps towards a plan: what can be loaded, routed or freed next, each as much at once as the moment allows.

Every step is safe in any order of its actions: one kind of change at a time only fills nodes, or only empties them.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from controller.planning.between import Between, Ground, Setting, Shares, Spot
from controller.planning.bounds_between import Bounds
from rules.kernel.problem import Placement

Order = Callable[[Spot, int], tuple[object, ...]]
"""A sort key for what is loaded first, from a spot and the MiB of one instance."""

ORDERS: Final[tuple[Order, ...]] = (
    lambda spot, _: (spot,),
    lambda spot, size_mib: (-size_mib, spot),
    lambda spot, size_mib: (size_mib, spot[0].pool, spot[1], spot),
    lambda spot, size_mib: (-size_mib, spot[1], spot),
)
"""Where not everything fits, which goes first can decide whether the rest ever does: tried one after the other."""


@dataclass(frozen=True)
class Steps:
    """The steps from any moment towards `goal`; `bounds.start` is where the way began."""

    ground: Ground
    goal: Between
    bounds: Bounds
    order: Order

    def arrived(self, moment: Between) -> bool:
        """Whether everything of the goal stands, as it is set there, and is routed to; more may still stand."""
        return moment.shares == self.goal.shares and not self.missing(moment) and not self._unset(moment)

    def missing(self, moment: Between) -> dict[Spot, int]:
        """Instances of the goal that do not stand yet."""
        counts = moment.counts
        return {s: n - counts.get(s, 0) for s, n in self.goal.counts.items() if n > counts.get(s, 0)}

    def surplus(self, moment: Between) -> dict[Spot, int]:
        """Instances that the goal does not have."""
        wanted = self.goal.counts
        return {s: n - wanted.get(s, 0) for s, n in moment.counts.items() if n > wanted.get(s, 0)}

    def left(self, moment: Between) -> int:
        """Instances still to be moved or set."""
        unset = self._unset(moment)
        return sum(self.missing(moment).values()) + sum(self.surplus(moment).values()) + len(unset)

    def blocked(self, moment: Between) -> frozenset[str]:
        """The nodes that something is still to be loaded on, or set anew."""
        unset = self._unset(moment)
        return frozenset({node for _, node in self.missing(moment)} | {n for p, n in moment.counts if p in unset})

    def grown(self, moment: Between) -> Between:
        """With all that is missing, as far as it fits beside what stands."""
        left = self.bounds.room(moment.counts)
        counts, settings = dict(moment.counts), dict(moment.settings)
        powered = {node for (_, node), count in counts.items() if count}
        missing = self.missing(moment)
        for placement in sorted(self._unset(moment)):
            self._set_anew(placement, moment, left, counts, settings)
        for spot in sorted(missing, key=lambda spot: self.order(spot, self._size_mib(spot[0]))):
            placement, node = spot
            still = self.goal.counts[spot] - counts.get(spot, 0)
            many = min(still, self._fitting(left[node], placement))
            if many > 0 and self.bounds.affordable(powered, node):
                counts[spot] = counts.get(spot, 0) + many
                settings.setdefault(placement, self.goal.settings[placement])
                left[node] -= many * self._size_mib(placement)
                powered.add(node)
        return self._moment(counts, settings, moment.shares)

    def _set_anew(
        self,
        placement: Placement,
        moment: Between,
        left: Counter[str],
        counts: dict[Spot, int],
        settings: dict[Placement, Setting],
    ) -> None:
        """Set a placement as the goal does, where its server can hold it in both settings for that long."""
        spots = [spot for spot in counts if spot[0] == placement]
        size_mib = self._size_mib(placement)
        missing = {s: n for s, n in self.missing(moment).items() if s[0] == placement}
        if any(left[node] < counts[placement, node] * size_mib for _, node in spots):
            return
        extra = {
            spot: min(many, self._fitting(left[spot[1]] - moment.counts.get(spot, 0) * size_mib, placement))
            for spot, many in missing.items()
            if any(node == spot[1] for _, node in moment.counts)
        }
        standing = sum(counts[spot] for spot in spots) + sum(extra.values())
        load_permille = moment.loads_permille[placement]
        answers = self.ground.answers(placement, self.goal.settings[placement], load_permille)
        before = self.ground.answers(placement, settings[placement], load_permille) * sum(counts[s] for s in spots)
        if standing * answers < min(self.ground.brought(moment)[placement], before):
            return
        for spot in spots:
            left[spot[1]] -= counts[spot] * size_mib
        for spot, many in extra.items():
            counts[spot] = counts.get(spot, 0) + many
            left[spot[1]] -= many * size_mib
        settings[placement] = self.goal.settings[placement]

    def freed(self, moment: Between, nodes: frozenset[str] | None = None) -> Between:
        """Without what the goal does not have and nothing needs now, on these nodes or on all."""
        counts = dict(moment.counts)
        spare = {
            placement: total - self._needed(placement, total, moment) for placement, total in moment.totals().items()
        }
        surplus, unset = self.surplus(moment), self._unset(moment)
        for spot, count in sorted(moment.counts.items()):
            placement, node = spot
            if nodes is not None and node not in nodes:
                continue
            anew = nodes is not None and placement in unset
            many = min(spare[placement], count if anew else surplus.get(spot, 0))
            while many > 0 and not self.bounds.may_go(counts, spot, many):
                many -= 1
            if many > 0:
                counts[spot] = count - many
                spare[placement] -= many
        return self._moment(counts, moment.settings, moment.shares)

    def _needed(self, placement: Placement, total: int, moment: Between) -> int:
        brought = self._brought(moment)[placement]
        answers = self.ground.answers(placement, moment.settings[placement], moment.loads_permille[placement])
        serving = min(total, -(-brought // answers) if answers else total) if brought else 0
        return max(serving, self.bounds.least(placement))

    def _brought(self, moment: Between) -> Counter[Placement]:
        return self.ground.brought(moment)

    def routed(self, moment: Between) -> Between:
        """With as much of the goal's routes as what stands can answer."""
        if not self.missing(moment) and not self._unset(moment):
            return self._moment(moment.counts, moment.settings, self.goal.shares)
        mixed = self._loads({}, moment.settings)
        now, totals = self._brought(moment), moment.totals()
        most = Counter(
            {p: max(now[p], n * self.ground.answers(p, moment.settings[p], mixed[p])) for p, n in totals.items()}
        )
        shares = self._whole_demands(moment, most)
        brought = self._brought(replace(moment, shares=shares))
        for demand in sorted(shares):
            if shares[demand] != self.goal.shares[demand]:
                shares[demand] = self._shifted(demand, shares[demand], brought, most)
        return self._moment(moment.counts, moment.settings, shares)

    def _whole_demands(self, moment: Between, most: Counter[Placement]) -> dict[str, Shares]:
        """The goal's routes for the demands that can take them at once, the moment's for the others."""
        shares = dict(self.goal.shares)
        while True:
            brought = self._brought(replace(moment, shares=shares))
            over = {placement for placement, calls in brought.items() if calls > most[placement]}
            back = [
                demand
                for demand in shares
                if shares[demand] != moment.shares[demand]
                and any(not over.isdisjoint(taken) for taken in shares[demand])
                and self._brings_more(demand, moment, over)
            ]
            if not back:
                return shares if not over else dict(moment.shares)
            shares |= {demand: moment.shares[demand] for demand in back}

    def _brings_more(self, demand: str, moment: Between, over: set[Placement]) -> bool:
        after = _calls(self.goal.shares[demand], self.ground.calls[demand])
        before = _calls(moment.shares[demand], self.ground.calls[demand])
        return any(after[placement] > before[placement] for placement in over)

    def _shifted(self, demand: str, shares: Shares, brought: Counter[Placement], most: Counter[Placement]) -> Shares:
        """The demand's shares, moved way by way as far as capacity goes; `brought` follows."""
        calls, now, goal = self.ground.calls[demand], dict(shares), self.goal.shares[demand]
        for taken in sorted(goal):
            for source in sorted(now):
                wanted = goal[taken] - now.get(taken, 0)
                going = now[source] - goal.get(source, 0)
                if wanted <= 0 or going <= 0:
                    continue
                adds = _calls({taken: 1}, calls)
                adds.subtract(_calls({source: 1}, calls))
                fits = [(most[p] - brought[p]) // more for p, more in adds.items() if more > 0]
                moved = min(wanted, going, *fits)
                if moved > 0:
                    now[source] -= moved
                    now[taken] = now.get(taken, 0) + moved
                    for placement, more in adds.items():
                        brought[placement] += moved * more
        return {taken: share for taken, share in now.items() if share}

    def stepping_stone(self, moment: Between) -> Between:
        """With a few instances elsewhere in their pool for as long as it takes to make room; the same when none helps.

        A spare node of the pool takes over for what stands in the way, so nothing has to be routed otherwise.
        """
        left = self.bounds.room(moment.counts)
        powered = {node for (_, node), count in moment.counts.items() if count}
        blocked, missing = self.blocked(moment), self.missing(moment)
        for (placement, node), many in sorted(self.surplus(moment).items()):
            if node not in blocked:
                continue
            wanted = max((self._size_mib(p) for p, at in missing if at == node), default=0)
            count = min(many, max(1, -(-(wanted - left[node]) // self._size_mib(placement))))
            for other in sorted(self.ground.pool_nodes[placement.pool], key=lambda name: (name in blocked, name)):
                fitting = min(count, self._fitting(left[other], placement))
                if other != node and fitting > 0 and self.bounds.affordable(powered, other):
                    counts = dict(moment.counts)
                    counts[placement, other] = counts.get((placement, other), 0) + fitting
                    return self._moment(counts, moment.settings, moment.shares)
        return moment

    def _moment(
        self, counts: Mapping[Spot, int], settings: Mapping[Placement, Setting], shares: Mapping[str, Shares]
    ) -> Between:
        standing = {spot: count for spot, count in counts.items() if count}
        here = {placement for placement, _ in standing}
        kept = {placement: setting for placement, setting in settings.items() if placement in here}
        return Between(standing, kept, self._loads(shares, kept), shares, self._levels(shares))

    def _loads(self, shares: Mapping[str, Shares], settings: Mapping[Placement, Setting]) -> dict[Placement, int]:
        """How busy each placement may be: as the plan allows whose routes these are, the busier of both in between."""
        start, goal = self.bounds.start, self.goal
        first, last = start.loads_permille, goal.loads_permille
        if shares == start.shares and shares != goal.shares:
            first, last = {**last, **first}, {}
        elif shares == goal.shares and shares != start.shares:
            first, last = {**first, **last}, {}
        return {placement: max(first.get(placement, 0), last.get(placement, 0)) for placement in settings}

    def _levels(self, shares: Mapping[str, Shares]) -> Mapping[str, int]:
        start, goal = self.bounds.start, self.goal
        if shares == goal.shares:
            return goal.levels
        if shares == start.shares:
            return start.levels
        return {s: max(start.levels.get(s, 0), goal.levels.get(s, 0)) for s in {*start.levels, *goal.levels}}

    def _unset(self, moment: Between) -> frozenset[Placement]:
        """Placements that stand otherwise set than in the goal."""
        wanted = self.goal.settings
        return frozenset(p for p, setting in moment.settings.items() if wanted.get(p, setting) != setting)

    def _size_mib(self, placement: Placement) -> int:
        return self.ground.sizes[placement].memory_mib

    def _fitting(self, left_mib: int, placement: Placement) -> int:
        size_mib = self._size_mib(placement)
        return max(0, left_mib // size_mib) if size_mib else 1_000_000


def _calls(shares: Shares, calls: tuple[int, ...]) -> Counter[Placement]:
    found: Counter[Placement] = Counter()
    for taken, share in shares.items():
        for placement, each in zip(taken, calls, strict=bool(taken)):
            found[placement] += share * each
    return found
