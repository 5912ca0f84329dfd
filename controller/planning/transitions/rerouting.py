"""Moving shares between ways, as far as what stands can answer: never more calls on a placement than `most` says.

Calls are in millionths a second, by placement.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from controller.planning.transitions.between import Shares, Taken
from controller.planning.transitions.ground import Ground
from rules.kernel.problem import Placement

Routes = Mapping[str, Shares]
"""Each demand's shares."""


def towards(ground: Ground, now: Routes, goal: Routes, most: Counter[Placement]) -> dict[str, Shares]:
    """The goal's routes for as many demands as can take them at once; of the others, as many shares as go there."""
    shares, brought = _whole_demands(ground, now, goal, most)
    for demand, wanted in sorted(goal.items()):
        here = shares[demand]
        if here != wanted:
            going = {taken: share - wanted.get(taken, 0) for taken, share in here.items()}
            coming = {taken: share - here.get(taken, 0) for taken, share in wanted.items()}
            shares[demand] = _shifted(ground.calls[demand], here, (going, coming), brought, most)
    return shares


def away(
    ground: Ground, now: Routes, placement: Placement, known: Iterable[Routes], most: Counter[Placement]
) -> dict[str, Shares]:
    """Without the calls that a placement gets, as far as other ways can answer them that `known` routes take."""
    shares, brought = dict(now), ground.brought(now)
    others: dict[str, dict[Taken, int]] = {demand: {} for demand in now}
    for routes in known:
        for demand, ways in routes.items():
            others[demand] |= {taken: share for taken, share in ways.items() if taken and placement not in taken}
    for demand in sorted(now):
        going = {taken: share for taken, share in now[demand].items() if placement in taken}
        if going and others[demand]:
            coming = dict.fromkeys(others[demand], sum(going.values()))
            shares[demand] = _shifted(ground.calls[demand], now[demand], (going, coming), brought, most)
    return shares


def _whole_demands(
    ground: Ground, now: Routes, goal: Routes, most: Counter[Placement]
) -> tuple[dict[str, Shares], Counter[Placement]]:
    """The goal's routes for the demands that can take them together, what is now for the others; what they bring."""
    shares, brought = dict(goal), ground.brought(goal)
    while True:
        over = {placement for placement, calls in brought.items() if calls > most[placement]}
        back = [
            demand
            for demand in shares
            if shares[demand] != now[demand]
            and any(not over.isdisjoint(taken) for taken in shares[demand])
            and _brings_more(ground.calls[demand], now[demand], shares[demand], over)
        ]
        if not back:
            return (dict(now), ground.brought(now)) if over else (shares, brought)
        for demand in back:
            brought.subtract(_calls(shares[demand], ground.calls[demand]))
            brought.update(_calls(now[demand], ground.calls[demand]))
            shares[demand] = now[demand]


def _brings_more(calls: tuple[int, ...], now: Shares, then: Shares, over: set[Placement]) -> bool:
    before, after = _calls(now, calls), _calls(then, calls)
    return any(after[placement] > before[placement] for placement in over)


def _shifted(
    calls: tuple[int, ...],
    shares: Shares,
    wanted: tuple[Shares, Shares],
    brought: Counter[Placement],
    most: Counter[Placement],
) -> Shares:
    """Shares with what is going given to what is coming, way by way as far as capacity goes; `brought` follows."""
    found, going, coming = dict(shares), dict(wanted[0]), dict(wanted[1])
    for taken in sorted(coming):
        for source in sorted(going):
            if coming[taken] <= 0 or going[source] <= 0:
                continue
            adds = _calls({taken: 1}, calls)
            adds.subtract(_calls({source: 1}, calls))
            fits = [(most[p] - brought[p]) // more for p, more in adds.items() if more > 0]
            moved = min(coming[taken], going[source], *fits)
            if moved > 0:
                found[source] -= moved
                found[taken] = found.get(taken, 0) + moved
                going[source] -= moved
                coming[taken] -= moved
                brought.update({placement: moved * more for placement, more in adds.items()})
    return {taken: share for taken, share in found.items() if share}


def _calls(shares: Shares, calls: tuple[int, ...]) -> Counter[Placement]:
    found: Counter[Placement] = Counter()
    for taken, share in shares.items():
        for placement, each in zip(taken, calls, strict=bool(taken)):
            found[placement] += share * each
    return found
