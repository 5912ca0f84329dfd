"""Pipelines as independent stages: for a demand, sets of options whose every combination is a path that it may take.

What an option is good for in a pipeline depends on what the other stages take. Within a *box* it does not, so each
stage is a demand of its own, and instances are counted for it alone.
"""

import itertools
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from controller.planning.fleet.node_contents import Flags
from controller.planning.whole.rows import Rows
from rules.kernel.problem import Path

Box = tuple[frozenset[str], ...]
"""By stage."""


class Paths(NamedTuple):
    """The paths of a demand as a table: [i, j, …] is whether option i of the first stage, j of the next … are one."""

    options: tuple[tuple[str, ...], ...]
    """By stage, those that any path takes, the cheapest first."""
    allowed: Flags


def box_of(paths: Sequence[Path], price: Mapping[str, float]) -> Box:
    """A box around the cheapest path, grown by cheap options for as long as it holds nothing but paths."""
    if not paths:
        return ()
    table = _table(paths, price)
    if table.allowed.all():
        return tuple(map(frozenset, table.options))
    best = min(paths, key=lambda path: (sum(price[option] for option in path.options), path.id))
    chosen = [[options.index(option)] for options, option in zip(table.options, best.options, strict=True)]
    offers = sorted(
        (price[option], stage, at) for stage, options in enumerate(table.options) for at, option in enumerate(options)
    )
    for _, stage, at in offers:
        if at not in chosen[stage]:
            wider = [*chosen[:stage], [at], *chosen[stage + 1 :]]
            if table.allowed[np.ix_(*wider)].all():
                chosen[stage].append(at)
    return tuple(frozenset(options[at] for at in places) for options, places in zip(table.options, chosen, strict=True))


def _table(paths: Sequence[Path], price: Mapping[str, float]) -> Paths:
    stages = [
        sorted(set(column), key=lambda o: (price[o], o)) for column in zip(*(p.options for p in paths), strict=True)
    ]
    number = [{option: at for at, option in enumerate(options)} for options in stages]
    allowed = np.zeros([len(options) for options in stages], np.bool_)
    for path in paths:
        allowed[tuple(at[option] for at, option in zip(number, path.options, strict=True))] = True
    return Paths(tuple(map(tuple, stages)), allowed)


def boxes(rows: Rows, price: Mapping[str, float], levels: Mapping[str, int], closed: frozenset[str]) -> dict[str, Box]:
    """A box for each demand, of the paths that its service's level opens and that take no closed option."""
    found = {}
    for demand in rows.problem.demands:
        level = levels.get(demand.service, 0)
        paths = [
            path
            for path in rows.usable[demand.id]
            if rows.gates.get(path.id, 0) <= level and closed.isdisjoint(path.options)
        ]
        found[demand.id] = box_of(paths, rows.delivered(demand.id, price, paths))
    return found


def members(box: Box) -> frozenset[str]:
    """All options of a box."""
    return frozenset(itertools.chain.from_iterable(box))
