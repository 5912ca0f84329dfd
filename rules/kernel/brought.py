"""What paths bring options: several rules write it into their rows, for all paths of a problem."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from rules.kernel.latest import Latest
from rules.kernel.problem import Path, Problem


class Brought(NamedTuple):
    """What a permille of a path brings one stage, in millionths of a call a second."""

    path: Path
    calls: int


def _of_options(problem: Problem) -> Mapping[str, Sequence[Brought]]:
    calls = {
        demand.id: tuple(stage.fanout * demand.rate_milli_rps for stage in problem.service_of(demand).stages)
        for demand in problem.demands
    }
    found: defaultdict[str, list[Brought]] = defaultdict(list)
    for path in problem.paths:
        for option, brings in zip(path.options, calls[path.demand], strict=True):
            found[option].append(Brought(path, brings))
    return dict(found)


brought: Final = Latest(_of_options)
"""By option of a problem, what the stages of its paths bring."""
