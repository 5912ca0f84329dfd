"""Which problems are known to have no path that a rule bars: rules need not say again what they bar there.

A large fleet has ten times as many uses that are barred as paths, and every plan had all of them written out.
"""

from collections import defaultdict
from dataclasses import fields
from typing import Final, NamedTuple

from controller.planning.paths import NO_OPTIONS, Uses
from rules.kernel.problem import Problem

NEVER_JUDGED: Final = frozenset({"running", "floors", "assured", "barred", "overfull"})
"""What no rule looks at to bar a use or a path (a test holds them to that)."""
JUDGED: Final = tuple(each.name for each in fields(Problem) if each.name not in NEVER_JUDGED)


class Cleared(NamedTuple):
    """What was judged of a problem that was cleared, and its options of which every use is forbidden."""

    judged: tuple[object, ...]
    useless: frozenset[str]


class Clearance:
    """The last problem that was cleared; of any other it is not known, which costs time and nothing else."""

    def __init__(self) -> None:
        self._last = Cleared((), NO_OPTIONS)

    def give(self, problem: Problem, useless: frozenset[str]) -> None:
        """Take it for known that no rule bars any path of a problem, a use that a path takes, or all other uses.

        But for those of `useless` options.
        """
        self._last = Cleared(_judged(problem), useless)

    def of(self, problem: Problem) -> frozenset[str] | None:
        """The useless options of the cleared problem, or one that differs by what is never judged; None of others."""
        last, here = self._last, _judged(problem)
        is_cleared = len(last.judged) == len(here) and all(a is b for a, b in zip(last.judged, here, strict=True))
        return last.useless if is_cleared else None


def _judged(problem: Problem) -> tuple[object, ...]:
    return tuple(getattr(problem, name) for name in JUDGED)


def useless(problem: Problem, taken: frozenset[str], forbidden: Uses) -> frozenset[str]:
    """The options of a problem that no path takes and of which every use is forbidden."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for option in problem.options:
        if option.id not in taken:
            found[option.placement.model].add(option.id)
    for demand in problem.demands:
        for stage in problem.service_of(demand).stages:
            if stage.model in found:
                found[stage.model] &= forbidden.get((demand.id, stage.name), NO_OPTIONS)
    return frozenset[str]().union(*found.values())


clearance: Final = Clearance()
