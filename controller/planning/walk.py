"""The order of the waves: what is needed to make room comes first, then loading, routing, and at the end what is over.

A round is free, grow, route; each only where something is to be done. Most changes need one round without freeing.
Where full nodes exchange places, rounds repeat, over a spare node if there is one.
"""

from dataclasses import dataclass
from typing import Final

from controller.planning.between import Between, Ground
from controller.planning.bounds_between import Bounds
from controller.planning.steps import ORDERS, Steps

ROUNDS: Final = 64
"""More than changes of full nodes were seen to need; a bound, so that a walk in circles ends."""


SHORT: Final = 3
"""Grow, route, shrink: nothing is looked for beyond a way of so many waves."""
HELPS: Final = (("grow", "route"), ("route", "grow"))
"""Where nothing else goes on, a stepping stone is laid or a detour is taken, whichever comes first."""


@dataclass(frozen=True, slots=True)
class Walk:
    """The moments of a way with the wave that leads to each. `last` is the end of it, which `whole` ways share."""

    moments: tuple[tuple[str, Between], ...]
    last: Between
    left: int

    @property
    def whole(self) -> bool:
        """Whether the goal is reached."""
        return self.left == 0


def walk(ground: Ground, start: Between, goal: Between, *, kept: bool) -> Walk:
    """The way of the fewest waves among those tried; where none is whole, the one that gets furthest."""
    bounds = Bounds(ground, start, kept)
    tries = (_walked(Steps(ground, goal, bounds, order), start, first) for first in HELPS for order in ORDERS)
    found = []
    for way in tries:
        found.append(way)
        if way.whole and len(way.moments) <= SHORT:
            break
    return min(found, key=lambda way: (way.left, len(way.moments)))


def settled(ground: Ground, start: Between, goal: Between, last: Between) -> Between:
    """The end of a walk that got stuck, without what only the way needed."""
    return Steps(ground, goal, Bounds(ground, start), ORDERS[0]).freed(last)


def _walked(steps: Steps, start: Between, helps: tuple[str, ...]) -> Walk:
    moments: list[tuple[str, Between]] = []
    moment, seen = start, {_key(start)}

    def go(name: str, to: Between) -> None:
        nonlocal moment
        if to != moment:
            moments.append((name, to))
            moment = to
            seen.add(_key(to))

    for _ in range(ROUNDS):
        before = moment
        short = steps.in_the_way(steps.grown(moment))
        if short:
            go("free", steps.freed(moment, short))
        go("grow", steps.grown(moment))
        go("route", steps.routed(moment))
        if steps.arrived(moment):
            go("shrink", steps.goal)
            return Walk(tuple(moments), moment, 0)
        if moment == before:
            ways = ((name, steps.detour(moment) if name == "route" else steps.stepping_stone(moment)) for name in helps)
            name, further = next(((name, to) for name, to in ways if _key(to) not in seen), ("", moment))
            if not name:
                break
            go(name, further)
            go("route", moment if name == "route" else steps.routed(moment))
    return Walk(tuple(moments), moment, max(1, steps.left(moment)))


def _key(moment: Between) -> tuple[object, ...]:
    return (
        frozenset(moment.counts.items()),
        frozenset(moment.settings.items()),
        frozenset((demand, *sorted(shares.items())) for demand, shares in moment.shares.items()),
    )
