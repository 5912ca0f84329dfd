"""How far a site may scale each load by itself: more instances than planned, where every rule lets them all be.

Fewer than planned are never its choice, for what is promised rests on the plan's. More of them on nodes that are used
anyway cost nothing and break nothing but limits of room and of number.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from controller.fleet import Load, Seat
from controller.sites.hub.question import Asked
from controller.sites.site_plan import Envelope
from rules.device_memory import DeviceMemory
from rules.device_share import DeviceShare
from rules.kernel.plan import Instances, Plan
from rules.kernel.problem import Option, Placement
from rules.kernel.rule import Rule
from rules.replica_bounds import ReplicaBounds

LIMITS: Final[tuple[Rule, ...]] = (DeviceMemory(), DeviceShare(), ReplicaBounds())
"""The rules that more instances of what a node has already could break."""


def envelopes(asked: Asked, loads: Iterable[Load], sites: Collection[str]) -> dict[Seat, Envelope]:
    """The envelope of each load at these sites.

    They grow by turns, by one instance each, until nothing has room. Those of servers that stand for a whole pool stay:
    on which of its nodes an instance would come is not known. All of them together are verified.
    """
    own = {load.seat: load for load in loads if asked.problem.policy.pool(load.placement.pool).site in sites}
    most = {seat: load.instances for seat, load in own.items()}
    room = _Room.of(asked)
    growing = [seat for seat in sorted(own) if seat[1] and seat[0] in asked.options]
    while growing:
        growing = [seat for seat in growing if room.take(asked.options[seat[0]], seat[1])]
        most.update({seat: most[seat] + 1 for seat in growing})
    if _breaks(_at_most(asked, own, most), asked):
        most = {seat: load.instances for seat, load in own.items()}
    return {seat: Envelope(load.instances, most[seat]) for seat, load in own.items()}


@dataclass(slots=True)
class _Room:
    """What nodes have left, in MiB and permille of a device, and how many instances bounds leave, by their place."""

    asked: Asked
    memory_mib: Counter[str]
    share_permille: Counter[str]
    bounds: Counter[int]

    @classmethod
    def of(cls, asked: Asked) -> "_Room":
        problem = asked.problem
        pools = {node.name: problem.policy.pool(node.pool) for node in problem.nodes}
        room = cls(
            asked,
            Counter({name: pool.memory_mib for name, pool in pools.items()}),
            Counter({name: pool.share_permille for name, pool in pools.items()}),
            Counter({index: bound.maximum for index, bound in enumerate(problem.policy.scaling.bounds)}),
        )
        options = {option.id: option for option in problem.options}
        for item in asked.plan.instances:
            if item.option in options:
                room.use(options[item.option], item.node, item.count)
        return room

    def use(self, option: Option, node: str, count: int) -> None:
        self.memory_mib[node] -= count * option.memory_mib
        self.share_permille[node] -= count * option.share_permille
        for index in self._bounding(option):
            self.bounds[index] -= count

    def take(self, option: Option, node: str) -> bool:
        """Use the room of one instance, if there is as much; what takes no share takes none without end."""
        fits = self.memory_mib[node] >= option.memory_mib and self.share_permille[node] >= option.share_permille > 0
        if not fits or any(self.bounds[index] < 1 for index in self._bounding(option)):
            return False
        self.use(option, node, 1)
        return True

    def _bounding(self, option: Option) -> list[int]:
        site = self.asked.problem.site_of(option)
        return [
            index
            for index, bound in enumerate(self.asked.problem.policy.scaling.bounds)
            if bound.model == option.placement.model and bound.site in {"", site}
        ]


def _at_most(asked: Asked, own: Mapping[Seat, Load], most: Mapping[Seat, int]) -> Plan:
    """The plan with every load at its most."""
    known: dict[str, Placement] = {option.id: placement for placement, option in asked.options.items()}
    return replace(
        asked.plan,
        instances=tuple(
            Instances(item.option, item.node, item.count + most[seat] - own[seat].instances)
            if item.option in known and (seat := (known[item.option], item.node)) in own
            else item
            for item in asked.plan.instances
        ),
    )


def _breaks(plan: Plan, asked: Asked) -> bool:
    return any(rule.applies(asked.problem) and any(rule.check(plan, asked.problem)) for rule in LIMITS)
