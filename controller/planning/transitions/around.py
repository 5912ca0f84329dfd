"""A plan around what blocks the way to another one: nothing is loaded where the way to that got stuck.

Two instances that are to change places on full nodes have no order when what they answer has nowhere else to go. Then
the demands that need the change are served otherwise, or less of them is.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from controller.actions import Transition
from controller.fleet import Fleet
from controller.planning.build import write
from controller.planning.objective import prices
from controller.planning.transitions.transition import DeadEnd, dead_end, transition
from controller.planning.verify import verify
from controller.planning.whole.rounds import mended
from rules.kernel.formulation import Formulation, Resource, Row
from rules.kernel.plan import Plan
from rules.kernel.problem import Placement, Problem

TRIES: Final = 3
"""What is planned around one place may be stuck at another."""


class Around(NamedTuple):
    """A plan with the way to it, and the problem that knows every path on it."""

    plan: Plan
    way: Transition
    whole: Problem


def around(
    problem: Problem,
    whole: Problem,
    running: Plan,
    current: Fleet,
    target: Plan,
    *,
    knowing: Callable[[Plan], Problem],
    limits: tuple[Row, ...] = (),
) -> Around | None:
    """A plan near the target that a safe order leads to; None where none was found.

    It begins with what the walk to the target came to, and mends what that breaks. `whole` has the paths that a
    transition to the target may go over, and `knowing` gives it for another plan. The plan keeps the `limits` that the
    target was made in.
    """
    form = write(problem)
    form.rows += (prices(problem, running), *limits)
    blocked: frozenset[str] = frozenset()
    for _ in range(TRIES):
        end = dead_end(whole, running, current, target)
        if end is None or end.nodes <= blocked:
            return None
        blocked |= end.nodes
        found = mended(Formulation([*form.rows, *_nothing_more(problem, end, blocked)]), problem, end.plan)
        if found is None or verify(found, problem):
            return None
        target, whole = found, knowing(found)
        way = transition(whole, running, current, target)
        if way is not None:
            return Around(target, way, whole)
    return None


def _nothing_more(problem: Problem, end: DeadEnd, blocked: frozenset[str]) -> Iterator[Resource]:
    """Rows by which no placement has more instances on the blocked nodes than it came to."""
    standing: Counter[tuple[Placement, str]] = Counter()
    for item in end.plan.instances:
        standing[problem.option(item.option).placement, item.node] += item.count
    options: defaultdict[Placement, list[str]] = defaultdict(list)
    for option in problem.options:
        options[option.placement].append(option.id)
    for placement, names in options.items():
        here = [node.name for node in problem.nodes_of(placement.pool) if node.name in blocked]
        if here:
            most = tuple((node, standing[placement, node]) for node in here)
            yield Resource("transition", None, most, tuple((name, 1) for name in names))
