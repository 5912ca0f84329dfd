"""What stands on seats whose servers hang: it cannot be taken away, so it takes its room whatever is planned.

What is planned fits beside it. Where even what hangs does not fit on its node, nothing is added there, and what else
stands there need not leave: the node would be too full all the same.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from typing import Final

from controller.fleet import Seat
from rules.device_memory import DeviceMemory
from rules.device_share import DeviceShare
from rules.kernel.formulation import Count, Resource
from rules.kernel.plan import Plan
from rules.kernel.problem import Placement, Problem

MEMORY: Final = DeviceMemory()
"""What an instance takes of its node also where it gets no requests."""
OF_NODES: Final = frozenset({DeviceMemory.id, DeviceShare.id})
"""The rules on what a node holds together."""
Hanging = Mapping[str, Mapping[Placement, int]]
"""By node, the placements that hang there with their instances."""


def overfull(problem: Problem, seats: Collection[Seat]) -> frozenset[str]:
    """The nodes on which what stands on these seats does not fit by itself."""
    found = _with_begun(problem, _hanging(problem, seats))
    return frozenset(node for node, here in found.items() if _left_mib(problem, here) < 0)


def nodes_of(problem: Problem, seats: Collection[Seat]) -> frozenset[str]:
    """The nodes on which something stands on these seats."""
    return frozenset(_hanging(problem, seats))


def beside(problem: Problem, running: Plan, seats: Collection[Seat]) -> Iterator[Resource | Count]:
    """Rows by which nothing is added to these seats, nor to a node that is overfull, and all else fits beside them.

    What hangs stays set as it is, and so does what has no room to be loaded anew beside all that stands.
    """
    alone = _hanging(problem, seats)
    found = {node: both for node, both in _with_begun(problem, alone).items() if node in alone}
    yield from _as_set(problem, running, {placement for placement, _ in seats}.union(_without_room(problem, found)))
    for placement, server in sorted(seats):
        here = [node.name for node in problem.nodes_of(placement.pool) if problem.server_of(node.name) == server]
        yield from _no_more(problem, placement, here)
    for node, hanging in sorted(found.items()):
        pool = _pool_of(hanging)
        if node in problem.overfull:
            for placement in sorted({each.placement for each in problem.options if each.placement.pool == pool}):
                yield from _no_more(problem, placement, [node])
            continue
        others = [each for each in problem.options if each.placement.pool == pool and each.placement not in hanging]
        if others:
            use = tuple((option.id, MEMORY.use(option)) for option in others)
            yield Resource("transition", None, ((node, _left_mib(problem, hanging)),), use)


def _no_more(problem: Problem, placement: Placement, nodes: Collection[str]) -> Iterator[Resource]:
    standing = {item.node: item.count for item in problem.running if item.placement == placement}
    options = [option.id for option in problem.options if option.placement == placement]
    if nodes and options:
        most = tuple((node, standing.get(node, 0)) for node in nodes)
        yield Resource("transition", None, most, tuple((name, 1) for name in options))


def _without_room(problem: Problem, found: Hanging) -> Iterator[Placement]:
    """What stands on nodes of these and would not fit there twice, as it does while it is set anew."""
    here = [item for item in problem.running if item.node in found]
    mib = {option.placement: MEMORY.use(option) for option in problem.options}
    free = {node: _left_mib(problem, hanging) for node, hanging in found.items()}
    others = [item for item in here if item.placement not in found[item.node]]
    for item in others:
        free[item.node] -= item.count * mib.get(item.placement, 0)
    yield from (item.placement for item in others if free[item.node] < item.count * mib.get(item.placement, 0))


def _as_set(problem: Problem, running: Plan, placements: Collection[Placement]) -> Iterator[Count]:
    """Rows by which these are loaded in no other setting than they run in, wherever that is."""
    used = running.used_options()
    runs = {each.placement: (each.max_batch, each.queue_delay_us) for each in problem.options if each.id in used}
    for placement in sorted(runs.keys() & placements):
        here = (each for each in problem.options if each.placement == placement)
        others = tuple(each.id for each in here if (each.max_batch, each.queue_delay_us) != runs[placement])
        if others:
            yield Count("transition", None, others, 0, 0)


def _hanging(problem: Problem, seats: Collection[Seat]) -> Hanging:
    found: defaultdict[str, dict[Placement, int]] = defaultdict(dict)
    for item in problem.running if seats else ():
        if (item.placement, problem.server_of(item.node)) in seats:
            found[item.node][item.placement] = item.count
    return found


def _with_begun(problem: Problem, hanging: Hanging) -> Hanging:
    """These with what is begun: of each the larger number."""
    found: defaultdict[str, dict[Placement, int]] = defaultdict(dict)
    found.update({node: dict(here) for node, here in hanging.items()})
    for item in problem.begun:
        found[item.node][item.placement] = max(item.count, found[item.node].get(item.placement, 0))
    return found


def _left_mib(problem: Problem, hanging: Mapping[Placement, int]) -> int:
    """What a node has beside what hangs there; below 0 where that does not fit."""
    pool = problem.policy.pool(_pool_of(hanging))
    uses = {option.placement: MEMORY.use(option) for option in problem.options if option.placement in hanging}
    return MEMORY.capacity(pool) - sum(count * uses.get(placement, 0) for placement, count in hanging.items())


def _pool_of(hanging: Mapping[Placement, int]) -> str:
    """The pool of a node, by what hangs there."""
    return next(iter(hanging)).pool
