"""What may not stand where it stands, as nobody may use it there, leaves first and always where servers hang.

The waves before its own may not be gone through then, and what hangs itself is otherwise not asked again for a while.
"""

import math
from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import datetime

from controller.actions import WITHDRAW, Action, Transition, Unload, Wave
from controller.decision import Hung
from controller.fleet import Fleet
from controller.planning.choose import Choice
from controller.planning.excluded import exclusions_of
from controller.planning.hung import paused
from rules.catalogue import STANDING
from rules.kernel.problem import Placement, Problem


def unloading_first(choice: Choice, current: Fleet, hung: Collection[Hung], now: datetime) -> Choice:
    """The same way, beginning with all that may not stand and gets no request; of what hangs also what has a pause.

    Nothing on the way needs it: no plan sends requests there any more. So few that hang are waited for in a wave that
    they come last, and first among them the one that was asked longest ago: none keeps another one loaded.
    """
    seats, asked = paused(hung, now), {each.seat: each.at for each in hung}
    way = choice.way or Transition()
    gone = _leaving(choice.whole, way, current)
    unloads = {action.seat: action for action in _unloads(way) if action.placement in gone}
    hanging = {load.seat for load in current.loads if load.seat in seats and load.placement in gone}
    unloads |= {seat: Unload(*seat) for seat in hanging}
    if not unloads:
        return choice
    left = (replace(w, actions=tuple(each for each in w.actions if each not in unloads.values())) for w in way.waves)
    waves = [wave for wave in left if wave.actions]
    first = waves.pop(0) if waves and waves[0].name == WITHDRAW else Wave(WITHDRAW, ())
    ordered = (
        *sorted(unloads.keys() - asked.keys()),
        *sorted(unloads.keys() & asked.keys(), key=lambda seat: (asked[seat], seat)),
    )
    actions: tuple[Action, ...] = tuple(unloads[seat] for seat in ordered)
    first = replace(first, actions=(*first.actions, *actions))
    return replace(choice, way=Transition((first, *waves), way.duration_us))


def _leaving(whole: Problem, way: Transition, current: Fleet) -> frozenset[Placement]:
    """What may not stand, and gets no requests now, or none once those have left that may not serve until the end."""
    routed = {p for item in current.routes for each in item.ways for p in each.placements}
    until_s = whole.now_s + math.ceil(way.duration_us / 1_000_000)
    soon = _unwelcome(replace(whole, needed_until_s=until_s))
    return soon | (_unwelcome(whole) - routed)


def _unwelcome(problem: Problem) -> frozenset[Placement]:
    """The placements of which no instance may stand until a plan is no longer needed."""
    return frozenset(problem.option(row.option).placement for row in exclusions_of(problem, (STANDING,)))


def _unloads(way: Transition) -> Iterator[Unload]:
    """What leaves at the end. What makes room for something is waited for where that is needed."""
    for wave in way.waves:
        if wave.name == "shrink":
            yield from (action for action in wave.actions if isinstance(action, Unload))
