"""What stays of what runs where nothing better is known: all but what may not serve and what may not stand."""

from dataclasses import replace

from controller.fleet import Fleet
from controller.planning.excluded import exclusions_of
from controller.planning.transitions.duration import over_s
from controller.planning.transitions.transition import Reached, transition
from controller.planning.transitions.withdraw import withdraw, without_idle
from rules.catalogue import STANDING
from rules.kernel.plan import Plan
from rules.kernel.problem import Problem


def remaining(whole: Problem, running: Plan, current: Fleet) -> Reached | None:
    """What is left of what runs, with the way there; None where that is not safe."""
    barred = frozenset(row.option for row in exclusions_of(whole, (STANDING,)))
    way = transition(whole, running, current, running, kept=False, barred=barred)
    if way is None:
        return None
    allowed = withdraw(running, replace(whole, needed_until_s=over_s(whole, way.duration_us)), current)
    return Reached(without_idle(allowed, whole, barred), way)
