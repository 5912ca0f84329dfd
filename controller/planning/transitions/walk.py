"""The order of the waves: what is needed to make room comes first, then loading, routing, and at the end what is over.

A round is free, grow, route; each only where something is to be done. Most changes need one round without freeing.
Where full nodes exchange places, rounds repeat, over a spare node if there is one.
"""

import itertools
from dataclasses import dataclass
from typing import Final

from controller.planning.transitions.between import Between, apart
from controller.planning.transitions.bounds_between import Bounds
from controller.planning.transitions.ground import Ground
from controller.planning.transitions.steps import ORDERS, Steps

ROUNDS: Final = 64
"""More than changes of full nodes were seen to need; a bound, so that a walk in circles ends."""
FEWEST_ROUNDS: Final = 4
LOOKED_AT: Final = 4_000
"""Demands that a way may look at, in all its rounds: of a large fleet ways stay short, and lead to a part instead."""

SHORT: Final = 3
"""Grow, route, shrink: nothing is looked for beyond a way of so many waves."""
FEW: Final = 50
"""Spots on the nodes that change, in both plans together, up to which all ways are compared."""
HELPS: Final = (("grow", "route"), ("route", "grow"))
"""Where nothing else goes on, a stepping stone is laid or a detour is taken, whichever comes first."""


@dataclass(frozen=True, slots=True)
class Walk:
    """The moments of a way with the wave that leads to each, and its end; `left` is how much of the goal is not there.

    `blocked` are the nodes on which something of it is still to be loaded or set anew. What stands on nodes that the
    way does not touch is apart in all of them.
    """

    moments: tuple[tuple[str, Between], ...]
    start: Between
    goal: Between
    last: Between
    left: int
    blocked: frozenset[str] = frozenset()

    @property
    def whole(self) -> bool:
        """Whether the goal is reached."""
        return self.left == 0


def walk(ground: Ground, start: Between, goal: Between, *, kept: bool) -> Walk:
    """The way of the fewest waves among those tried; where none is whole, the one that gets furthest.

    Where much changes, the first that is whole is taken, and none is looked for beyond two that are stuck alike.
    """
    start, goal = apart(start, goal)
    bounds = Bounds(ground, start, kept)
    much = len(start.counts) + len(goal.counts) > FEW
    tries = (_walked(Steps(ground, goal, bounds, order), start, first) for first in HELPS for order in ORDERS)
    found = list[Walk]()
    for way in itertools.islice(tries, rounds(ground) if much else None):
        again = bool(found) and way.blocked == found[-1].blocked
        found.append(way)
        if much and (way.whole or again):
            break
        if way.whole and len(way.moments) <= SHORT:
            break
    return min(found, key=lambda way: (way.left, len(way.moments)))


def rounds(ground: Ground) -> int:
    """How many rounds a way may have, fewer the more demands each looks at."""
    return min(ROUNDS, max(FEWEST_ROUNDS, LOOKED_AT // max(1, len(ground.problem.demands))))


def settled(ground: Ground, way: Walk) -> Between:
    """The end of a walk that got stuck, without what only the way needed."""
    return Steps(ground, way.goal, Bounds(ground, way.start), ORDERS[0]).freed(way.last)


def _walked(steps: Steps, start: Between, helps: tuple[str, ...]) -> Walk:
    moments: list[tuple[str, Between]] = []
    moment, seen = start, {_key(start, steps.goal)}

    def go(name: str, to: Between) -> None:
        nonlocal moment
        if to != moment:
            moments.append((name, to))
            moment = to
            seen.add(_key(to, steps.goal))

    for _ in range(rounds(steps.ground)):
        before, grown = moment, steps.grown(moment)
        short = steps.in_the_way(grown)
        if short:
            go("free", steps.freed(moment, short))
        go("grow", grown if moment is before else steps.grown(moment))
        go("route", steps.routed(moment))
        if steps.arrived(moment):
            go("shrink", steps.goal)
            return Walk(tuple(moments), start, steps.goal, moment, 0)
        if moment == before:
            ways = ((name, steps.detour(moment) if name == "route" else steps.stepping_stone(moment)) for name in helps)
            name, further = next(((name, to) for name, to in ways if _key(to, steps.goal) not in seen), ("", moment))
            if not name:
                break
            go(name, further)
            go("route", moment if name == "route" else steps.routed(moment))
    blocked = steps.in_the_way(moment)
    return Walk(tuple(moments), start, steps.goal, moment, max(1, steps.left(moment)), blocked)


def _key(moment: Between, goal: Between) -> tuple[object, ...]:
    """What tells moments on the way to a goal apart: where they differ from it."""
    return (
        frozenset(moment.counts.items()),
        frozenset(moment.settings.items() - goal.settings.items()),
        frozenset(
            (demand, *sorted(shares.items()))
            for demand, shares in moment.shares.items()
            if shares != goal.shares.get(demand)
        ),
    )
