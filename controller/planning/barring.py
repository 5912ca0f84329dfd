"""Which paths exclusions bar, and by which uses paths go."""

from collections import defaultdict
from collections.abc import Mapping

from controller.planning.paths import Use
from rules.kernel.formulation import Exclusion, Formulation
from rules.kernel.problem import Problem


def through(problem: Problem) -> Mapping[Use, list[str]]:
    """By use, the paths that take it, in their order."""
    stages = {d.id: [stage.name for stage in problem.service_of(d).stages] for d in problem.demands}
    found: defaultdict[Use, list[str]] = defaultdict(list)
    for path in problem.paths:
        for stage, option in zip(stages[path.demand], path.options, strict=True):
            found[path.demand, stage, option].append(path.id)
    return found


def barring(form: Formulation, problem: Problem) -> Mapping[str, list[Exclusion]]:
    """By path, the exclusions that bar it, or one of its uses; no other paths."""
    exclusions = form.exclusions()
    by_use = through(problem) if any(row.demand and not row.path for row in exclusions) else {}
    found: defaultdict[str, list[Exclusion]] = defaultdict(list)
    for row in exclusions:
        for path in [row.path] if row.path else by_use.get((row.demand, row.stage, row.option), ()):
            found[path].append(row)
    return found
