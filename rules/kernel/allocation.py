"""What requests use: the parts of nodes that their calls take, and their way over links.

A node is shared by services, so what one of them costs is a convention: an instance costs the part of its node's price
that it takes of the device's memory or compute, whichever is more, and a call costs what an instance does in the time
that it takes of it when it is given all that it may be.
"""

from fractions import Fraction

from rules.kernel.egress import MILLI_RPS_IN_REQUESTS_AN_HOUR, egress_of_a_request
from rules.kernel.problem import Option, Path, Problem


def cost_of_a_call(problem: Problem, option: Option) -> Fraction:
    """Millicents of one call on an instance that is given all that it may be."""
    pool = problem.pool_of(option)
    part = max(Fraction(option.memory_mib, pool.memory_mib), Fraction(option.share_permille, pool.share_permille))
    calls_an_hour = max(1, option.capacity_milli_rps) * MILLI_RPS_IN_REQUESTS_AN_HOUR
    return pool.price_millicents_per_hour * part / calls_an_hour


class Allocation:
    """What requests cost on the paths of a problem."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._of_a_call: dict[str, Fraction] = {}

    def of_a_request(self, path: Path) -> Fraction:
        """Millicents of one request on a path."""
        problem = self._problem
        total = egress_of_a_request(problem, path)
        stages = problem.service_of(problem.demand(path.demand)).stages
        for stage, name in zip(stages, path.options, strict=True):
            if name not in self._of_a_call:
                self._of_a_call[name] = cost_of_a_call(problem, problem.option(name))
            total += stage.fanout * self._of_a_call[name]
        return total

    def of_all_requests(self, path: Path) -> int:
        """Millicents an hour if all of its demand took a path, rounded up."""
        requests_an_hour = self._problem.demand(path.demand).rate_milli_rps * MILLI_RPS_IN_REQUESTS_AN_HOUR
        return -(-requests_an_hour * self.of_a_request(path) // 1)
