"""Whether any safe order of single moves leads from one plan to another, by trying all of them."""

from collections import deque
from collections.abc import Mapping
from dataclasses import replace

from moment_judge import Judge, Seen, seen
from moving_fleets import Move

from rules.kernel.problem import Placement

Ways = Mapping[tuple[Placement, ...], int]

MOST_MOMENTS = 20_000


def some_order(move: Move) -> bool | None:
    """Whether one exists; None when more moments than `MOST_MOMENTS` would have to be looked at.

    A move loads or unloads one instance, sets a placement anew, or moves a demand's routes, wholly or by a quarter.
    An instance may stand for a while on any node of its pool.
    """
    judge, start, goal = Judge(move), seen(move, move.start), seen(move, move.goal)
    todo, known = deque([start]), {_key(start)}
    while todo:
        now = todo.popleft()
        if _key(now) == _key(goal):
            return True
        for then in _moves(now, start, goal, move):
            key = _key(then)
            if key not in known and not any(judge.change(now, then)) and not any(judge.moment(then)):
                known.add(key)
                todo.append(then)
        if len(known) > MOST_MOMENTS:
            return None
    return False


def _moves(now: Seen, start: Seen, goal: Seen, move: Move) -> list[Seen]:
    found = []
    placements = {placement for placement, _ in (*start.standing, *goal.standing)}
    for placement in sorted(placements):
        for node in move.problem.nodes_of(placement.pool):
            spot = (placement, node.name)
            count = now.standing.get(spot, 0)
            for other in (count - 1, count + 1):
                if other >= 0:
                    standing = {**now.standing, spot: other}
                    standing = {s: n for s, n in standing.items() if n}
                    batching = {p: now.batching.get(p, goal.batching.get(p, (0, 0))) for p, _ in standing}
                    found.append(replace(now, standing=standing, batching=batching))
        wanted = goal.batching.get(placement)
        if wanted is not None and now.batching.get(placement, wanted) != wanted:
            found.append(replace(now, batching={**now.batching, placement: wanted}))
    for demand, shares in now.routing.items():
        last = goal.routing[demand]
        if shares != last:
            found.append(replace(now, routing={**now.routing, demand: last}))
            found.append(replace(now, routing={**now.routing, demand: _quarter(shares, start.routing[demand], last)}))
    return found


def _quarter(shares: Ways, first: Ways, last: Ways) -> Ways:
    """The next of the routes at a quarter, half and three quarters of the way; the last where it is none of them."""
    mixes = [
        {way: share for way in {*first, *last} if (share := _mixed(first.get(way, 0), last.get(way, 0), part))}
        for part in range(4)
    ]
    at = mixes.index(dict(shares)) + 1 if shares in mixes else 4
    return mixes[at] if at < 4 and sum(mixes[at].values()) == 1000 else last


def _mixed(first: int, last: int, quarters: int) -> int:
    return first + (last - first) * quarters // 4


def _key(now: Seen) -> tuple[object, ...]:
    return (
        frozenset(now.standing.items()),
        frozenset(now.batching.items()),
        frozenset((demand, frozenset(ways.items())) for demand, ways in now.routing.items()),
    )
