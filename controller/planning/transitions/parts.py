"""A target in independent changes: what can be reached of it when the whole cannot."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from controller.planning.connected import connected
from controller.planning.transitions.between import Between
from controller.planning.transitions.ground import Ground
from controller.planning.transitions.walk import rounds, walk
from rules.kernel.problem import Placement

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Part:
    """Placements and demands that change together, because the ones' requests go to the others."""

    placements: frozenset[Placement]
    demands: frozenset[str]


def part_by_part(
    ground: Ground, start: Between, goal: Between, is_allowed: Callable[[Between], bool] = lambda _: True
) -> Between:
    """The start with as many parts of the goal, taken in turn, as are allowed and a way leads to.

    Only some are tried one by one, fewer of a large fleet; the rest is left for the next turn.
    """
    reached = start
    for part in parts(ground, start, goal)[: rounds(ground)]:
        further = _with_part(ground, reached, goal, part)
        if is_allowed(further) and walk(ground, start, further, kept=True).whole:
            reached = further
    return reached


def parts(ground: Ground, start: Between, goal: Between) -> tuple[Part, ...]:
    """The changes from start to goal, those of few placements first."""
    moved = _moved(start, goal)
    services = {demand.id: demand.service for demand in ground.problem.demands}
    changed = [d for d in goal.shares if start.shares[d] != goal.shares[d] or not moved.isdisjoint(_through(start, d))]
    joined: list[list[Placement | str]] = [[placement] for placement in moved]
    for demand in changed:
        placements = {*_through(start, demand), *_through(goal, demand)}
        joined.append([demand, *placements, *_level(services[demand], start, goal)])
    groups = [frozenset(group) for group in connected(joined)]
    found = (Part(moved.intersection(group), frozenset(changed).intersection(group)) for group in groups)
    return tuple(sorted(found, key=lambda part: (len(part.placements), sorted(part.placements), sorted(part.demands))))


def _through(moment: Between, demand: str) -> set[Placement]:
    return {placement for taken in moment.shares[demand] for placement in taken}


def _level(service: str, start: Between, goal: Between) -> Iterable[str]:
    """The service itself where its degrade level changes: that is one change for all its demands."""
    return (f"level of {service}",) if start.levels.get(service, 0) != goal.levels.get(service, 0) else ()


def _moved(start: Between, goal: Between) -> frozenset[Placement]:
    spots = {spot for spot in {*start.counts, *goal.counts} if start.counts.get(spot, 0) != goal.counts.get(spot, 0)}
    named = {*start.settings, *goal.settings}
    return frozenset(
        {placement for placement, _ in spots}
        | {p for p in named if start.settings.get(p) != goal.settings.get(p)}
        | {p for p in named if start.loads_permille.get(p) != goal.loads_permille.get(p)}
    )


def _with_part(ground: Ground, moment: Between, goal: Between, part: Part) -> Between:
    counts = {spot: count for spot, count in moment.counts.items() if spot[0] not in part.placements}
    counts |= {spot: count for spot, count in goal.counts.items() if spot[0] in part.placements}
    services = {d.service for d in ground.problem.demands if d.id in part.demands}
    levels = {s: level for s, level in moment.levels.items() if s not in services}
    levels |= {s: level for s, level in goal.levels.items() if s in services}
    shares = {d: goal.shares[d] if d in part.demands else taken for d, taken in moment.shares.items()}
    return Between(
        counts,
        _chosen(moment.settings, goal.settings, part),
        _chosen(moment.loads_permille, goal.loads_permille, part),
        shares,
        levels,
    )


def _chosen(now: Mapping[Placement, T], goal: Mapping[Placement, T], part: Part) -> dict[Placement, T]:
    kept = {placement: value for placement, value in now.items() if placement not in part.placements}
    return kept | {placement: value for placement, value in goal.items() if placement in part.placements}
