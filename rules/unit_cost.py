"""Unit cost: no request takes a path whose machines and links cost more than what its service promises."""

from collections.abc import Iterable, Iterator
from typing import Final

from policy.findings import Finding
from policy.resolved import CostObjective, Stage
from policy.words import counted, dollars
from rules.kernel.allocation import Allocation
from rules.kernel.formulation import Exclusion, Formulation
from rules.kernel.measure import carried, payload_bytes
from rules.kernel.plan import Plan
from rules.kernel.problem import Path, Problem
from rules.kernel.rule import Violation

SECONDS_AN_HOUR: Final = 3600
MILLI: Final = 1000
GIB: Final = 1024**3


class UnitCost:
    """Machines and links of every path in use cost at most `below_millicents` for `requests` requests; equal is kept.

    An instance costs the part of its node's price that it takes of the device's memory or compute, whichever is more,
    and answers what `capacity` allows it. So it is what requests cost on instances that are used as planned; what
    stands idle is the budget's matter. Measured is rounded up to a whole millicent.
    """

    id = "unit_cost"
    finding_id = "GW1028"
    always = False
    of_paths = True

    def applies(self, problem: Problem) -> bool:
        """Whether any service has a cost objective."""
        return any(service.cost for service in problem.policy.services)

    def constrain(self, form: Formulation, problem: Problem) -> None:
        """Exclude the paths that are too dear."""
        for row in self.exclusions(problem):
            form.add(row)

    def exclusions(self, problem: Problem) -> Iterator[Exclusion]:
        """Those paths."""
        allocation = Allocation(problem)
        for path in problem.paths:
            service = problem.service_of(problem.demand(path.demand))
            if service.cost is None:
                continue
            cost = service.cost.requests * allocation.of_a_request(path)
            if cost > service.cost.below_millicents:
                yield Exclusion(self.id, _told(-(-cost // 1), service.cost), service.cost.place, path=path.id)

    def check(self, plan: Plan, problem: Problem) -> Iterable[Violation]:
        """Add up what the stages of every path in use cost, over one denominator."""
        for path, _ in carried(plan, problem):
            service = problem.service_of(problem.demand(path.demand))
            if service.cost:
                measured = _rounded_up(problem, path, service.stages, service.cost.requests)
                limit = service.cost.below_millicents
                if not measured <= limit:
                    asked = counted(service.cost.requests, "request")
                    yield Violation(self.id, path.id, measured, limit, service.cost.place, asked)

    def explain(self, violation: Violation) -> Finding:
        """What the path costs, and what it may."""
        message = (
            f"path {violation.subject}: its machines and links cost {dollars(violation.measured)} for "
            f"{violation.quantity}; the objective is {dollars(violation.limit)}"
        )
        return violation.finding(self.finding_id, message, "allow a cheaper pool, or raise the objective's `below`")


def _told(cost_millicents: int, asked: CostObjective) -> str:
    return (
        f"its machines and links cost {dollars(cost_millicents)} for {counted(asked.requests, 'request')}; "
        f"the objective is {dollars(asked.below_millicents)}"
    )


def _rounded_up(problem: Problem, path: Path, stages: tuple[Stage, ...], requests: int) -> int:
    """Whole millicents of so many requests on a path."""
    origin = problem.demand(path.demand).origin
    above, below = 0, 1
    for stage, name, sent in zip(stages, path.options, payload_bytes(path, stages), strict=True):
        option = problem.option(name)
        pool = problem.pool_of(option)
        by_memory = option.memory_mib * pool.share_permille
        by_share = option.share_permille * pool.memory_mib
        price = stage.fanout * pool.price_millicents_per_hour * max(by_memory, by_share) * MILLI
        calls = max(1, option.capacity_milli_rps) * SECONDS_AN_HOUR * pool.memory_mib * pool.share_permille
        above, below = above * calls + price * below, below * calls
        way = problem.link(pool.site, origin)
        prices = (each.millicents_per_gib for each in (way.egress if way else ()) if each.site == origin)
        above, below = above * GIB + sent * sum(prices) * below, below * GIB
    return -(-above * requests // below)
