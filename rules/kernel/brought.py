"""What paths bring options: several rules write it into their rows, for all paths of a problem."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from rules.kernel.latest import Latest
from rules.kernel.problem import Problem

Brought = tuple[str, int]
"""A path, and what a permille of it brings one stage, in millionths of a call a second."""


def _of_options(problem: Problem) -> Mapping[str, Sequence[Brought]]:
    calls = {
        demand.id: tuple(stage.fanout * demand.rate_milli_rps for stage in problem.service_of(demand).stages)
        for demand in problem.demands
    }
    found: defaultdict[str, list[Brought]] = defaultdict(list)
    for path in problem.paths:
        name = path.id
        for option, brings in zip(path.options, calls[path.demand], strict=True):
            found[option].append((name, brings))
    return dict(found)


brought: Final = Latest(_of_options)
"""By option of a problem, what the stages of its paths bring."""
