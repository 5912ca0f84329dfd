"""Allocated cost: what the requests of a service, or of a team's services, use costs no more than its ceiling."""

from collections.abc import Iterable, Iterator
from typing import Final

from policy.findings import Finding
from policy.resolved import Ceiling, Service
from policy.words import dollars_per_hour
from rules.kernel import dear_paths
from rules.kernel.allocation import Allocation
from rules.kernel.dear_paths import MOST_MILLICENTS_PER_HOUR
from rules.kernel.formulation import Budget, Formulation
from rules.kernel.measure import carried, payload_bytes
from rules.kernel.plan import Plan
from rules.kernel.problem import Path, Problem
from rules.kernel.rule import Violation

THOUSANDTHS: Final = 1_000
SECONDS_AN_HOUR: Final = 3_600
GIB: Final = 1024**3


class AllocatedCost:
    """What requests use of nodes, with their way over links, costs at most the ceiling an hour; equal is kept.

    It is reckoned as in the cost objective: an instance costs the part of its node that it takes, and is used as
    planned. What stands idle is nobody's part; the ceilings of sites and of the fleet bound it. Prices are in
    millicents an hour, of a path with all of its demand, rounded up, and measured is rounded up once more. A path whose
    price is above MOST_MILLICENTS_PER_HOUR carries nothing that a ceiling counts; exactly that much may.
    """

    id = "allocated_cost"
    finding_id = "GW1050"
    always = False

    def applies(self, problem: Problem) -> bool:
        """Whether a ceiling is of a service or of a team."""
        return any(ceiling.service or ceiling.team for ceiling in problem.policy.cost.ceilings)

    def constrain(self, form: Formulation, problem: Problem) -> None:
        """A budget row without nodes for each such ceiling; paths that are too dear to be counted are closed."""
        allocation = Allocation(problem)
        for ceiling, services in _bounded(problem):
            paths = (path for path in problem.paths if problem.demand(path.demand).service in services)
            prices = tuple((path.id, price) for path in paths if (price := allocation.of_all_requests(path)))
            form.add(Budget(self.id, ceiling.place, (), ceiling.millicents_per_hour, dear_paths.capped(prices)))
            form.rows += dear_paths.closed(self.id, ceiling.place, prices)

    def check(self, plan: Plan, problem: Problem) -> Iterable[Violation]:
        """Add up what the paths in use take, for each such ceiling."""
        for ceiling in problem.policy.cost.ceilings:
            thousandths = dearest = 0
            for path, share_permille in carried(plan, problem) if ceiling.service or ceiling.team else ():
                service = problem.service_of(problem.demand(path.demand))
                if service.name == ceiling.service or (ceiling.team and service.team == ceiling.team):
                    price = _whole_price(problem, path, service)
                    thousandths, dearest = thousandths + share_permille * price, max(dearest, price)
            measured = -(-thousandths // THOUSANDTHS)
            if measured > ceiling.millicents_per_hour:
                yield Violation(self.id, _scope(ceiling), measured, ceiling.millicents_per_hour, ceiling.place)
            if dearest > MOST_MILLICENTS_PER_HOUR:
                subject = f"requests of {_scope(ceiling)}"
                yield Violation(self.id, subject, dearest, MOST_MILLICENTS_PER_HOUR, ceiling.place, dear_paths.PATH)

    def explain(self, violation: Violation) -> Finding:
        """What is used, and what may be."""
        if violation.quantity == dear_paths.PATH:
            return violation.finding(self.finding_id, dear_paths.told(violation), dear_paths.HINT)
        message = (
            f"what requests of {violation.subject} use costs {dollars_per_hour(violation.measured)}; "
            f"the ceiling is {dollars_per_hour(violation.limit)}"
        )
        return violation.finding(self.finding_id, message, "raise the ceiling, or allow cheaper pools and ways there")


def _scope(ceiling: Ceiling) -> str:
    return f"service {ceiling.service}" if ceiling.service else f"team {ceiling.team}"


def _bounded(problem: Problem) -> Iterator[tuple[Ceiling, frozenset[str]]]:
    """Each such ceiling, with the names of its services."""
    for ceiling in problem.policy.cost.ceilings:
        if ceiling.service:
            yield ceiling, frozenset((ceiling.service,))
        elif ceiling.team:
            yield ceiling, frozenset(each.name for each in problem.policy.services if each.team == ceiling.team)


def _whole_price(problem: Problem, path: Path, service: Service) -> int:
    """Millicents an hour if all of its demand took a path, over one denominator."""
    demand = problem.demand(path.demand)
    above, below = 0, 1
    payloads = payload_bytes(path, service.stages)
    for stage, name, sent in zip(service.stages, path.options, payloads, strict=True):
        option = problem.option(name)
        pool = problem.pool_of(option)
        taken = max(option.memory_mib * pool.share_permille, option.share_permille * pool.memory_mib)
        price = stage.fanout * pool.price_millicents_per_hour * taken * THOUSANDTHS
        calls = max(1, option.capacity_milli_rps) * SECONDS_AN_HOUR * pool.memory_mib * pool.share_permille
        way = problem.link(pool.site, demand.origin)
        per_gib = sum(each.millicents_per_gib for each in (way.egress if way else ()) if each.site == demand.origin)
        leaving = sent * per_gib
        above, below = above * calls * GIB + (price * GIB + leaving * calls) * below, below * calls * GIB
    return -(-above * demand.rate_milli_rps * SECONDS_AN_HOUR // (THOUSANDTHS * below))
