"""Steps towards a plan: what can be loaded, routed or freed next, each as much at once as the moment allows.

Every step is safe in any order of its actions: one kind of change at a time only fills nodes, or only empties them.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from controller.planning.transitions.between import Between, Setting, Shares, Spot
from controller.planning.transitions.bounds_between import Bounds
from controller.planning.transitions.ground import Ground
from controller.planning.transitions.rerouting import away, towards
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
class _SettingAnew:
    """A moment at which placements are set anew: what is missing, the calls that routes bring, and MiB left by node."""

    moment: Between
    missing: Mapping[Spot, int]
    brought: Counter[Placement]
    left: Counter[str]

    @cached_property
    def filled(self) -> frozenset[str]:
        """The nodes that change and hold something."""
        return frozenset(node for _, node in self.moment.counts)


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

    def in_the_way(self, moment: Between) -> frozenset[str]:
        """The nodes to make room on: where something is still to be loaded or set anew, but nothing more fits.

        Where a node is missing only because of its price, those that the goal leaves dark have to go first.
        """
        unset, missing = self._unset(moment), self.missing(moment)
        powered = moment.powered()
        dear = any(not self.bounds.affordable(powered, node) for _, node in missing)
        lit = self.goal.powered()
        return frozenset(
            {node for _, node in missing}
            | {n for p, n in moment.counts if p in unset}
            | (powered - lit if dear else set())
        )

    def grown(self, moment: Between) -> Between:
        """With all that is missing, as far as it fits beside what stands."""
        left = self.bounds.room(moment.counts)
        counts, settings = dict(moment.counts), dict(moment.settings)
        powered = set(moment.powered())
        missing, unset = self.missing(moment), self._unset(moment)
        if unset:
            setting_anew = _SettingAnew(moment, missing, self.ground.brought_now(moment.shares), left)
            for placement in sorted(unset):
                self._set_anew(placement, setting_anew, counts, settings)
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
        now: "_SettingAnew",
        counts: dict[Spot, int],
        settings: dict[Placement, Setting],
    ) -> None:
        """Set a placement as the goal does, where its server can hold it in both settings for that long."""
        moment, left = now.moment, now.left
        spots = [spot for spot in counts if spot[0] == placement]
        size_mib = self._size_mib(placement)
        missing = {s: n for s, n in now.missing.items() if s[0] == placement}
        if any(left[node] < counts[placement, node] * size_mib for _, node in spots):
            return
        extra = {
            spot: min(many, self._fitting(left[spot[1]] - moment.counts.get(spot, 0) * size_mib, placement))
            for spot, many in missing.items()
            if spot[1] in now.filled
        }
        standing = sum(counts[spot] for spot in spots) + sum(extra.values())
        load_permille = moment.loads_permille[placement]
        answers = self.ground.answers(placement, self.goal.settings[placement], load_permille)
        before = self.ground.answers(placement, settings[placement], load_permille) * sum(counts[s] for s in spots)
        if standing * answers < min(now.brought[placement], before):
            return
        for spot in spots:
            left[spot[1]] -= counts[spot] * size_mib
        for spot, many in extra.items():
            counts[spot] = counts.get(spot, 0) + many
            left[spot[1]] -= many * size_mib
        settings[placement] = self.goal.settings[placement]

    def freed(self, moment: Between, nodes: frozenset[str] | None = None) -> Between:
        """Without what the goal does not have and nothing needs now, on these nodes or on all."""
        counts, brought = dict(moment.counts), self.ground.brought_now(moment.shares)
        leaving, totals = self._leaving(moment, nodes), moment.totals()
        spare = {
            placement: totals[placement] - self._needed(placement, totals[placement], moment, brought[placement])
            for placement in {placement for placement, _ in leaving}
        }
        for spot, most in sorted(leaving.items()):
            placement, _ = spot
            many = min(spare[placement], most)
            while many > 0 and not self.bounds.may_go(counts, spot, many):
                many -= 1
            if many > 0:
                counts[spot] -= many
                spare[placement] -= many
        return self._moment(counts, moment.settings, moment.shares)

    def _leaving(self, moment: Between, nodes: frozenset[str] | None) -> dict[Spot, int]:
        """What the goal does not have; on these nodes also what it has otherwise set."""
        surplus = self.surplus(moment)
        if nodes is None:
            return surplus
        unset = self._unset(moment)
        anew = {spot: count for spot, count in moment.counts.items() if spot[0] in unset}
        return {spot: count for spot, count in (surplus | anew).items() if spot[1] in nodes}

    def _needed(self, placement: Placement, total: int, moment: Between, brought: int) -> int:
        answers = self.ground.answers(placement, moment.settings[placement], moment.loads_permille[placement])
        serving = min(total, -(-brought // answers) if answers else total) if brought else 0
        return max(serving, self.bounds.least(placement))

    def routed(self, moment: Between) -> Between:
        """With as much of the goal's routes as what stands can answer."""
        if not self.missing(moment) and not self._unset(moment):
            return self._moment(moment.counts, moment.settings, self.goal.shares)
        shares = towards(self.ground, moment.shares, self.goal.shares, self._most(moment))
        return self._moment(moment.counts, moment.settings, shares)

    def detour(self, moment: Between) -> Between:
        """With requests taken from what stands in the way, by other ways that the start or the goal knows."""
        there, most = self.in_the_way(moment), self._most(moment)
        known = (self.bounds.start.shares, self.goal.shares)
        for placement, node in sorted(self.surplus(moment)):
            if node in there:
                shares = away(self.ground, moment.shares, placement, known, most)
                if shares != moment.shares:
                    return self._moment(moment.counts, moment.settings, shares)
        return moment

    def _most(self, moment: Between) -> Counter[Placement]:
        """Calls that each placement may be given while routes move, in millionths a second: at least what it gets."""
        busiest, now = self._loads({}, moment.settings), self.ground.brought_now(moment.shares)
        return Counter(
            {
                placement: max(now[placement], count * self.ground.answers(placement, setting, busiest[placement]))
                for placement, count in moment.totals().items()
                for setting in (moment.settings[placement],)
            }
        )

    def stepping_stone(self, moment: Between) -> Between:
        """With a few instances elsewhere in their pool for as long as it takes to make room; the same when none helps.

        A node of the pool with room takes over for what stands in the way, or stands in for where something is to be,
        so nothing has to be routed otherwise. What gets no requests and is not in the goal takes over for nothing: it
        may be there because nobody may use it any more.
        """
        wanted = self.ground.brought_now(moment.shares).keys() | self.goal.totals().keys()
        left = self.bounds.room(moment.counts)
        there, missing = self.in_the_way(moment), self.missing(moment)
        lit = self.goal.powered()
        for (placement, node), many in sorted(self.surplus(moment).items()):
            if node in there and placement in wanted:
                wanted_mib = max((self._size_mib(p) for p, at in missing if at == node), default=0)
                enough = max(1, -(-(wanted_mib - left[node]) // max(1, self._size_mib(placement))))
                further = self._elsewhere(moment, (placement, node), min(many, enough) if node in lit else many, left)
                if further is not None:
                    return further
        for spot, many in sorted(missing.items()):
            further = self._elsewhere(moment, spot, many, left)
            if further is not None:
                return further
        return moment

    def _elsewhere(self, moment: Between, spot: Spot, many: int, left: Counter[str]) -> Between | None:
        """With so many instances of a spot's placement, or as many as fit, on another node of its pool."""
        placement, node = spot
        there, powered = self.in_the_way(moment), moment.powered()
        for other in sorted(self.ground.pool_nodes[placement.pool], key=lambda name: (name in there, name)):
            fitting = min(many, self._fitting(left[other], placement))
            if other != node and fitting > 0 and self.bounds.affordable(powered, other):
                counts = dict(moment.counts)
                counts[placement, other] = counts.get((placement, other), 0) + fitting
                settings = {placement: self.goal.settings.get(placement, (0, 0)), **moment.settings}
                return self._moment(counts, settings, moment.shares)
        return None

    def _moment(
        self, counts: Mapping[Spot, int], settings: Mapping[Placement, Setting], shares: Mapping[str, Shares]
    ) -> Between:
        standing = {spot: count for spot, count in counts.items() if count}
        here = {placement for placement, _ in standing} | self.goal.still.totals.keys()
        kept = {placement: setting for placement, setting in settings.items() if placement in here}
        return Between(standing, kept, self._loads(shares, kept), shares, self._levels(shares), self.goal.still)

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
