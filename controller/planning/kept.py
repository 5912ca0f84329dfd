"""What the turns of one loop share: options and paths depend on no rate, so most of them are the same as before.

It changes no answer, only what is worked out for it again. One turn at a time may use it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

from controller.performance.interference import Key
from controller.planning.options import Speeds, options
from controller.planning.paths import NO_OPTIONS, Looked, paths
from controller.planning.pricing import Habits, Views
from policy.resolved import Policy
from rules.kernel.problem import Demand, Option, Path, Placement, Problem

Known = tuple[Habits, tuple[frozenset[str], ...]]
"""What a demand's paths were looked for with, beside the options and the speeds of all."""


@dataclass(frozen=True, slots=True)
class Grounds:
    """What all options and paths stand on: the policy, and how long executions take."""

    revision: str
    learnt_us: Mapping[Key, tuple[int, ...]]
    slowdowns: Mapping[Placement, float]
    demands: int = 0

    @classmethod
    def of(cls, policy: Policy, speed: Speeds, demands: int = 0) -> Self:
        """Those of a problem with so many demands."""
        return cls(policy.revision, speed.learnt_us, speed.slowdowns, demands)


class Kept:
    """The options and paths of the last problem that was built."""

    def __init__(self) -> None:
        self._options: tuple[Grounds, tuple[Option, ...]] | None = None
        self._grounds: Grounds | None = None
        self._paths: dict[str, tuple[Known, tuple[Path, ...]]] = {}

    def options(self, policy: Policy, speed: Speeds) -> tuple[Option, ...]:
        """All options of a policy at these speeds."""
        grounds = Grounds.of(policy, speed)
        if self._options is None or self._options[0] != grounds:
            self._options = grounds, options(policy, speed)
        return self._options[1]

    def paths(
        self, problem: Problem, speed: Speeds, habits: Callable[[Demand], Habits], looked: Looked
    ) -> tuple[Path, ...]:
        """The paths of all demands of a problem that has the options of its policy."""
        grounds = Grounds.of(problem.policy, speed, len(problem.demands))
        before = self._paths if self._grounds == grounds else {}
        views, found = Views(problem, speed), dict[str, tuple[Known, tuple[Path, ...]]]()
        for demand in problem.demands:
            known = habits(demand), _looked_at(problem, demand, looked)
            same = before.get(demand.id)
            if same is not None and same[0] == known:
                found[demand.id] = same
            else:
                found[demand.id] = known, paths(views, demand, known[0], looked)
        self._grounds, self._paths = grounds, found
        return tuple(path for _, here in found.values() for path in here)


def _looked_at(problem: Problem, demand: Demand, looked: Looked) -> tuple[frozenset[str], ...]:
    uses = [(demand.id, stage.name) for stage in problem.service_of(demand).stages]
    return tuple(sets.get(use, NO_OPTIONS) for use in uses for sets in (looked.barred, looked.running, looked.idle))
