"""Whether ways are still ways of what is asked: a decision looked at again may be another policy's.

Its services may have other stages since, or other models behind them, and links may be gone. No rule judges that, for
planning makes no such path.
"""

from controller.fleet import Way
from controller.planning.network import reachable
from rules.kernel.problem import Demand, Problem


def as_asked(way: Way, demand: Demand, problem: Problem) -> bool:
    """Whether the stages call these models and declare these encodings, and requests can come to all of the sites."""
    return has_as_many(way, demand, problem) and all(
        placement.model == stage.model
        and (not way.encoding(at) or stage.encoding(way.encoding(at)) is not None)
        and reachable(problem.policy, demand.origin, problem.policy.pool(placement.pool).site)
        for at, (stage, placement) in enumerate(zip(problem.service_of(demand).stages, way.placements, strict=True))
    )


def has_as_many(way: Way, demand: Demand, problem: Problem) -> bool:
    """Whether it has a placement for each stage; rules can judge no other."""
    return len(way.placements) == len(problem.service_of(demand).stages)
