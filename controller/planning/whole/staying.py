"""The same instances with as few as can be on other nodes than before: which of a pool's nodes costs nothing in a plan.

A neighbourhood is solved without regard to it, and what moves from node to node is loaded there and unloaded here, wave
after wave where nodes are full.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping

from controller.planning.whole.reading import Reading
from controller.planning.whole.rows import Rows

Counts = Mapping[str, Mapping[str, int]]
"""Instances of one pool by option and node, none of them 0."""


def staying(rows: Rows, at: Reading, before: Reading) -> Reading:
    """The plan with the instances of each pool where they were, as far as they are still there and rows are kept."""
    wanted, was = _by_pool(rows, at), _by_pool(rows, before)
    found = {
        pool: _placed(rows, here, was.get(pool, {})) if here != was.get(pool) else here for pool, here in wanted.items()
    }
    counts = {
        (option, node): count
        for pool, here in wanted.items()
        for option, nodes in (found[pool] or here).items()
        for node, count in nodes.items()
    }
    if counts == at.counts:
        return at
    stays = Reading.made(counts, at.shares, at.unserved, at.levels)
    known = {id(row) for row in rows.broken(at)}
    return stays if all(id(row) in known for row in rows.broken(stays)) else at


def _by_pool(rows: Rows, at: Reading) -> dict[str, dict[str, dict[str, int]]]:
    found: defaultdict[str, defaultdict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    for (option, node), count in at.counts.items():
        found[rows.problem.option(option).placement.pool][option][node] = count
    return {pool: dict(here) for pool, here in found.items()}


def _placed(rows: Rows, wanted: Counts, was: Counts) -> Counts | None:
    """As many of each option as are wanted, on the nodes where they were before any others.

    None where that takes more nodes than are wanted, or where what is new finds no room.
    """
    room = _Room(rows)
    found: dict[str, Counter[str]] = {option: Counter() for option in wanted}
    left: list[str] = []
    for option, nodes in wanted.items():
        missing = sum(nodes.values())
        here = was.get(option, {})
        for node in sorted(here, key=lambda name: (name not in nodes, name)):
            stays = min(here[node], missing)
            room.take(option, node, stays)
            found[option][node] += stays
            missing -= stays
        left += [option] * missing
    powered = {node for nodes in wanted.values() for node in nodes}
    for option in sorted(left, key=lambda name: (-rows.parts.get(name, 0.0), name)):
        fitting = [node for node in sorted({*powered, *room.used}) if room.fits(option, node)]
        if not fitting:
            return None
        here = found[option]
        node = min(fitting, key=lambda name: (not here[name], name not in wanted[option], name not in room.used, name))
        room.take(option, node, 1)
        here[node] += 1
    if len(room.used) > len(powered):
        return None
    return {option: {node: count for node, count in nodes.items() if count} for option, nodes in found.items()}


class _Room:
    """What is left of the nodes of a pool while instances are placed there."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._taken: Counter[tuple[int, str]] = Counter()
        self.used: set[str] = set()

    def take(self, option: str, node: str, count: int) -> None:
        if count:
            self.used.add(node)
        for place, use in self._rows.uses.get(option, ()):
            self._taken[place, node] += count * use

    def fits(self, option: str, node: str) -> bool:
        return all(
            self._taken[place, node] + use <= self._rows.capacities[place].get(node, 0)
            for place, use in self._rows.uses.get(option, ())
            if use
        )
