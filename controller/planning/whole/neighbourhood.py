"""What is opened around some options and services: what stands, the cheapest alternatives, and the roomiest nodes."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from controller.planning.whole.frames import HELD_PART
from controller.planning.whole.reading import Reading
from controller.planning.whole.residual import Open
from controller.planning.whole.spoken import served
from controller.planning.whole.view import View
from rules.kernel.problem import Demand, Path

NARROW: Final = 4
WIDE: Final = 12
"""Alternatives for what a broken row speaks of, and for each stage of the demands that it touches."""
PATHS: Final = 25
"""Of a neighbourhood, times its width: the cheapest of each demand, but `FEWEST_PATHS` of each at least."""
FEWEST_PATHS: Final = 15
ROOMIEST: Final = 2
"""Nodes of a pool that are offered, of those that hold something and of those that do not."""
MOST_LACKING: Final = 64
"""Nodes of a pool that are offered on top where a service lacks so many instances, or groups with one."""


def neighbourhood(
    view: View,
    at: Reading,
    spoken: Sequence[str],
    services: Sequence[str],
    width: int,
    *,
    room: int = 0,
    stays: bool = False,
) -> Open:
    """What is open around the options that a row speaks of, for the demands of some services.

    `width` is how many alternatives are looked at, `room` how many nodes of each pool more; with `stays`, what stands
    on other nodes than the roomiest stays there.
    """
    problem = view.rows.problem
    standing = tuple(option for option in spoken if option in at.by_option)
    others = apart(view, (option for option in spoken if option not in at.by_option), width)
    if width > NARROW:
        crowd = _in_the_way(view, at, others[:1])
        standing, services = (*standing, *crowd), (*services, *served(view, at, crowd))
    demands = [demand for service in dict.fromkeys(services) for demand in view.demands_of.get(service, ())]
    most = max(FEWEST_PATHS, PATHS * width // max(1, len(demands)))
    paths = {demand.id: _paths(view, at, demand, others, most) for demand in demands}
    options = {*standing, *others, *(o for chosen in paths.values() for path in chosen for o in path.options)}
    nodes = _roomy(view, at, options, ROOMIEST + min(room, MOST_LACKING))
    if not stays:
        nodes |= {node for option, node in at.counts if option in options}
    return Open(
        replace(
            problem,
            demands=tuple(demand for demand in problem.demands if demand.id in paths),
            options=tuple(option for option in problem.options if option.id in options),
            paths=tuple(path for demand in problem.demands for path in paths.get(demand.id, ())),
            nodes=tuple(node for node in problem.nodes if node.name in nodes),
        )
    )


def _in_the_way(view: View, at: Reading, options: Sequence[str]) -> tuple[str, ...]:
    """What stands on the roomiest nodes where these options could stand: it may have to go elsewhere."""
    pools = {view.rows.problem.option(option).placement.pool for option in options}
    load = view.load(at)
    nodes = [node for pool in sorted(pools) for node in view.nodes_of.get(pool, ()) if node in at.powered]
    emptiest = set(sorted(nodes, key=lambda node: (load[node], node))[:ROOMIEST])
    return tuple(dict.fromkeys(option for option, node in sorted(at.counts) if node in emptiest))


def apart(view: View, options: Iterable[str], width: int) -> tuple[str, ...]:
    """The cheapest options that may stand, each in a pool of its own."""
    best: dict[str, tuple[float, str]] = {}
    for option in (option for option in options if option not in view.rows.never):
        pool = view.rows.problem.option(option).placement.pool
        offer = view.price[option], option
        best[pool] = min(best.get(pool, offer), offer)
    return tuple(option for _, option in sorted(best.values())[:width])


def _paths(view: View, at: Reading, demand: Demand, others: Sequence[str], most: int) -> tuple[Path, ...]:
    """The paths in use, the cheapest, and the cheapest over each of `others`."""
    usable = view.rows.usable[demand.id]
    delivered = view.rows.delivered(demand.id, view.price, usable)
    price = {
        option: (HELD_PART if option in at.by_option else 1.0) * delivered[option]
        for option in {option for path in usable for option in path.options}
    }
    ranked = sorted(
        (sum(price[option] for option in path.options), path.id, place) for place, path in enumerate(usable)
    )
    paths = [usable[place] for _, _, place in ranked]
    chosen = {path.id: path for path in paths if path.id in at.shares} | {p.id: p for p in paths[:most]}
    for option in others if not price.keys().isdisjoint(others) else ():
        first = next((path for path in paths if option in path.options), None)
        chosen |= {} if first is None else {first.id: first}
    return tuple(chosen[name] for name in sorted(chosen))


def _roomy(view: View, at: Reading, options: Iterable[str], most: int) -> frozenset[str]:
    """Of the pools of some options, the roomiest nodes of those in use and some empty ones."""
    load = view.load(at)
    found: set[str] = set()
    for pool in sorted({view.rows.problem.option(option).placement.pool for option in options}):
        nodes = view.nodes_of.get(pool, ())
        used = sorted((node for node in nodes if node in at.powered), key=lambda node: (load[node], node))
        found.update(used[:most], [node for node in nodes if node not in at.powered][:most])
    return frozenset(found)
