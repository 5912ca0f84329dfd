"""What may not stand where it stands, as nobody may use it there, leaves first.

The waves before its own may not be gone through: a server that refuses a load would keep it there for good. What hangs
itself is otherwise not asked again for a while.
"""

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import datetime

from controller.actions import WITHDRAW, Action, Transition, Unload, Wave, seat_of
from controller.decision import Hung
from controller.fleet import Fleet, Seat
from controller.planning.choose import Choice
from controller.planning.excluded import exclusions_of
from controller.planning.hung import paused
from controller.planning.transitions.duration import over_s
from rules.catalogue import STANDING
from rules.kernel.problem import Placement, Problem


def unloading_first(choice: Choice, current: Fleet, hung: Collection[Hung], now: datetime) -> Choice:
    """The same way, beginning with all that may not stand and gets no request; of what hangs also what has a pause.

    Nothing on the way needs it: no plan sends requests there any more. So few that hang are waited for in a wave that
    they come last, and first among them the one that was asked longest ago: none keeps another one loaded.
    """
    seats, asked = paused(hung, now), {each.seat: each.at for each in hung}
    way = choice.way or Transition()
    may_go = {action.seat for action in _unloads(way)}.union(load.seat for load in current.loads if load.seat in seats)
    gone = _leaving(choice.whole, way, current, frozenset(placement for placement, _ in may_go))
    leaving = {seat for seat in may_go if seat[0] in gone}
    if not leaving:
        return choice
    waves = [wave for wave in (_after_unloading(leaving, each) for each in way.waves) if wave.actions]
    first = waves.pop(0) if waves and waves[0].name == WITHDRAW else Wave(WITHDRAW, ())
    ordered = (
        *sorted(leaving - asked.keys()),
        *sorted(leaving & asked.keys(), key=lambda seat: (asked[seat], seat)),
    )
    first = replace(first, actions=(*first.actions, *(Unload(*seat) for seat in ordered)))
    return replace(choice, way=Transition((first, *waves), way.duration_us))


def _after_unloading(leaving: Collection[Seat], wave: Wave) -> Wave:
    """A wave as it is once these seats were to be unloaded: nothing loads them again, or sets them anew.

    That they are gone is waited for where the wave makes room for others.
    """
    actions: list[Action] = []
    for action in wave.actions:
        seat = seat_of(action)
        if seat is None or seat not in leaving:
            actions.append(action)
        elif wave.name == "free":
            actions.append(Unload(*seat))
    return replace(wave, actions=tuple(actions))


def _leaving(whole: Problem, way: Transition, current: Fleet, placements: frozenset[Placement]) -> frozenset[Placement]:
    """Which of these may not stand, and get no requests, or none once those leave that may not serve until the end."""
    judged = replace(whole, options=tuple(each for each in whole.options if each.placement in placements), paths=())
    if not judged.options:
        return frozenset()
    routed = {p for item in current.routes for each in item.ways for p in each.placements}
    soon = _unwelcome(replace(judged, needed_until_s=over_s(whole, way.duration_us)))
    return soon | (_unwelcome(judged) - routed)


def _unwelcome(problem: Problem) -> frozenset[Placement]:
    """The placements of which no instance may stand until a plan is no longer needed."""
    return frozenset(problem.option(row.option).placement for row in exclusions_of(problem, (STANDING,)))


def _unloads(way: Transition) -> Iterator[Unload]:
    """What leaves at the end. What makes room for something is waited for where that is needed."""
    for wave in way.waves:
        if wave.name == "shrink":
            yield from (action for action in wave.actions if isinstance(action, Unload))
