"""Until when idle instances may stand: the evidence by which somebody may use them ends, too."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache

from controller.planning.instants import instants
from rules.catalogue import STANDING
from rules.kernel.measure import carried
from rules.kernel.plan import Plan
from rules.kernel.problem import Problem


def standing_until_s(plan: Plan, problem: Problem) -> dict[str, int]:
    """By option, the first second (Unix time) at which its idle instances may stand no longer; now where they do not.

    What may not stand at one instant does not before a later one either, so few of the instants are looked at.
    """
    if not STANDING.applies(problem):
        return {}
    busy = {option for path, _ in carried(plan, problem) for option in path.options}
    idle = Plan(tuple(item for item in plan.instances if item.option not in busy))
    ends = [problem.now_s, *(second for second in instants(problem) if second >= problem.needed_until_s)]

    @cache
    def refused(at: int) -> frozenset[str]:
        needed = replace(problem, needed_until_s=max(problem.needed_until_s, ends[at] + 1))
        return frozenset(violation.subject for violation in STANDING.check(idle, needed))

    def found(low: int, high: int) -> Iterator[tuple[str, int]]:
        """What is refused at `high` and not at `low`, with when it first is."""
        if refused(low) == refused(high):
            return
        if high - low == 1:
            yield from ((option, ends[high]) for option in refused(high) - refused(low))
            return
        middle = (low + high) // 2
        yield from found(low, middle)
        yield from found(middle, high)

    now: Sequence[tuple[str, int]] = [(option, problem.now_s) for option in refused(0)]
    return dict((*now, *found(0, len(ends) - 1)))
