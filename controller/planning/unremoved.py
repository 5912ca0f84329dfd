"""What stages are declared to remove and does not count as removed, for want of somebody's word."""

from collections.abc import Iterator
from dataclasses import replace

from policy.checks.endings import not_removed
from policy.findings import Finding
from policy.resolved import Service, Stage
from rules.kernel.problem import Problem
from rules.kernel.removals import removed, said_of
from rules.kernel.spans import unbroken_until_s


def unremoved(problem: Problem) -> Iterator[Finding]:
    """A warning for each datum of a stage that its output is taken to carry on until the plan is no longer needed."""
    for service in problem.policy.services:
        counting = removed(problem, service)
        for stage in service.stages:
            for datum in sorted(stage.removes.data) if stage.removes else ():
                if stage.removes and (stage.name, datum) not in counting:
                    spans = said_of(problem, stage.model, stage.removes, datum)
                    ends = [unbroken_until_s(each, problem.now_s) for each in spans]
                    variant = _variant(problem, stage, ends)
                    what = f"stage {stage.name} of `{service.name}`"
                    yield _about(service, not_removed(what, str(datum), variant, stage.removes.place))


def _variant(problem: Problem, stage: Stage, ends: list[int]) -> str:
    """The first variant of the stage's model that is not vouched for until the plan is no longer needed."""
    names = [each.name for model in problem.policy.models if model.name == stage.model for each in model.variants]
    lacking = [name for name, end_s in zip(names, ends, strict=False) if end_s < problem.needed_until_s]
    return f"`{stage.model}/{lacking[0]}`" if lacking else f"`{stage.model}`"


def _about(service: Service, finding: Finding) -> Finding:
    return replace(finding, subject=service.name)
