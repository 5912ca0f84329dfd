"""What the turns of one loop share: options and paths depend on no rate, so most of them are the same as before.

It changes no answer, only what is worked out for it again. One turn at a time may use it.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from controller.performance.interference import Key
from controller.planning.forbidden import Forbidding
from controller.planning.left import Judgements, Left, left_of
from controller.planning.options import Speeds, models_in_use, options_of
from controller.planning.paths import NO_OPTIONS, Looked, Uses, paths
from controller.planning.pricing import Habits, Views
from policy.findings import Finding
from policy.resolved import Policy
from policy.uncollected import uncollected
from rules.kernel.problem import Demand, Option, Path, Placement, Problem


@dataclass(slots=True)
class Pace:
    """How long executions of a model take, where that is not as profiled."""

    learnt_us: dict[Key, tuple[int, ...]]
    slowdowns: dict[Placement, float]


AS_PROFILED: Final = Pace({}, {})


class Question(Protocol):
    """Why a plan falls short, with all that it is asked of."""

    def why(self) -> tuple[Finding, ...]:
        """The answer; it takes seconds."""


class Known(NamedTuple):
    """What a demand's paths were looked for with, beside the policy and the number of all demands."""

    habits: Habits
    looked: tuple[frozenset[str], ...]
    paces: tuple[Pace, ...]
    sent: tuple[tuple[int, ...], ...]


class Kept:
    """The options and paths of the last problem that was built: options by model, paths by demand."""

    def __init__(self) -> None:
        self._revision = ""
        self._demands = 0
        self._options: dict[str, tuple[Pace, tuple[Option, ...]]] = {}
        self._paths: dict[str, tuple[Known, tuple[Path, ...]]] = {}
        self._left: Judgements = {}
        self.forbidding = Forbidding()
        """The uses that were forbidden last."""
        self.left_open: Question | None = None
        """What the last turn left to be answered once it has acted."""

    def options(self, policy: Policy, speed: Speeds) -> tuple[Option, ...]:
        """All options of a policy at these speeds."""
        if self._revision != policy.revision:
            self._revision, self._options, self._paths = policy.revision, {}, {}
        paces, found = _paces(speed), dict[str, tuple[Pace, tuple[Option, ...]]]()
        for model in models_in_use(policy):
            pace = paces.get(model.name, AS_PROFILED)
            same = self._options.get(model.name)
            if same is not None and same[0] == pace:
                found[model.name] = same
            else:
                found[model.name] = pace, options_of(policy, speed, model)
        self._options = found
        return tuple(option for _, here in found.values() for option in here)

    def paths(
        self, problem: Problem, speed: Speeds, habits: Callable[[Demand], Habits], looked: Looked
    ) -> tuple[Path, ...]:
        """The paths of all demands of a problem that has the options of its policy."""
        same_number = self._revision == problem.policy.revision and self._demands == len(problem.demands)
        before = self._paths if same_number else {}
        views, paces, found = Views(problem, speed), _paces(speed), dict[str, tuple[Known, tuple[Path, ...]]]()
        for demand in problem.demands:
            stages = problem.service_of(demand).stages
            at_pace = tuple(paces.get(stage.model, AS_PROFILED) for stage in stages)
            known = Known(habits(demand), _looked_at(problem, demand, looked), at_pace, tuple(_sent(views, demand)))
            same = before.get(demand.id)
            if same is not None and same[0] == known:
                found[demand.id] = same
            else:
                found[demand.id] = known, paths(views, demand, known.habits, looked)
        self._revision, self._demands, self._paths = problem.policy.revision, len(problem.demands), found
        return tuple(path for _, here in found.values() for path in here)

    def left(self, whole: Problem, forbidden: Uses, gone: frozenset[str]) -> tuple[Left, ...]:
        """What is left of the paths that were asked for last, by demand."""
        paths = {demand: here for demand, (_, here) in self._paths.items()}
        self._left = left_of(whole, paths, forbidden, gone, self._left)
        return tuple(left for *_, left in self._left.values())

    def answered(self) -> tuple[Finding, ...]:
        """The answer to the question that the last turn left open; nothing where it left none."""
        question, self.left_open = self.left_open, None
        with uncollected():
            return question.why() if question else ()


def _paces(speed: Speeds) -> Mapping[str, Pace]:
    """By model, where it has one of its own."""
    found: defaultdict[str, Pace] = defaultdict(lambda: Pace({}, {}))
    for key, learnt_us in speed.learnt_us.items():
        found[key[0]].learnt_us[key] = learnt_us
    for placement, slowdown in speed.slowdowns.items():
        found[placement.model].slowdowns[placement] = slowdown
    return found


def _sent(views: Views, demand: Demand) -> Iterator[tuple[int, ...]]:
    """In which encodings inputs are looked at: evidence on what data a stage handles may change it."""
    for stage in views.problem.service_of(demand).stages:
        for option in views.problem.options_of(stage.model) if stage.encodings else ():
            yield views.sendings.of(demand, stage, option)


def _looked_at(problem: Problem, demand: Demand, looked: Looked) -> tuple[frozenset[str], ...]:
    uses = [(demand.id, stage.name) for stage in problem.service_of(demand).stages]
    return tuple(sets.get(use, NO_OPTIONS) for use in uses for sets in (looked.barred, looked.running, looked.idle))
