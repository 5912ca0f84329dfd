"""Which uses may be nobody's way, kept for as long as nothing that rules judge changes.

No rule judges a use by a rate or a path, nor by time but for what begins and ends in it (a test holds them to that). So
most turns have the same uses forbidden as the one before, where judging a large fleet anew takes a fifth of a second.
"""

from dataclasses import replace
from typing import Final, NamedTuple

from controller.planning.clearance import JUDGED
from controller.planning.excluded import barred, out_of_reach
from controller.planning.instants import ever
from controller.planning.paths import NO_OPTIONS, Uses
from rules.kernel.problem import Problem

TOLD_OTHERWISE: Final = frozenset({"policy", "now_s", "needed_until_s", "demands", "paths"})
"""What is judged of a problem in another form than as it stands there."""
AS_IT_STANDS: Final = tuple(name for name in JUDGED if name not in TOLD_OTHERWISE)


class Forbidden(NamedTuple):
    """Uses at sites that no link leads to; and those with the ones that rules bar."""

    afar: Uses
    every: Uses


class Forbidding:
    """The uses that were forbidden last, with what they were judged by."""

    def __init__(self) -> None:
        self._last: tuple[tuple[object, ...], Forbidden] | None = None

    def of(self, problem: Problem, gone: frozenset[str]) -> Forbidden:
        """The forbidden uses of a problem without paths; of options that are `gone` no rule is asked."""
        judged = (gone, *_judged(problem))
        if self._last is None or self._last[0] != judged:
            self._last = judged, _forbidden(problem, gone)
        return self._last[1]


def _forbidden(problem: Problem, gone: frozenset[str]) -> Forbidden:
    afar = out_of_reach(problem)
    present = replace(problem, options=tuple(option for option in problem.options if option.id not in gone))
    every = {**afar, **{use: options | afar.get(use, NO_OPTIONS) for use, options in barred(present).items()}}
    return Forbidden(afar, every)


def _judged(problem: Problem) -> tuple[object, ...]:
    """All that rules judge uses by."""
    asked = tuple((demand.id, demand.service, demand.origin) for demand in problem.demands)
    return problem.policy, _moment(problem), asked, *(getattr(problem, name) for name in AS_IT_STANDS)


def _moment(problem: Problem) -> tuple[object, ...]:
    """Where now and the end of what is needed lie among the seconds at which something begins or ends."""
    seconds, span = ever(problem), (problem.now_s, problem.needed_until_s)
    works = (each.window for each in problem.policy.maintenance)
    starts = ((work, work.last_start_s(problem.needed_until_s)) for work in works)
    under_way = tuple(
        start_s is not None and start_s + work.until_s - work.from_s > problem.now_s for work, start_s in starts
    )
    passed = tuple((sum(each < second for each in seconds), sum(each <= second for each in seconds)) for second in span)
    return passed, under_way
