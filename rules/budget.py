"""Budget: the nodes that are powered, and what leaves sites over links, cost no more an hour than ceilings allow."""

from collections import Counter
from collections.abc import Iterable
from typing import Final

from policy.findings import Finding
from policy.resolved import Ceiling
from rules.kernel.egress import carried_prices
from rules.kernel.formulation import Budget as BudgetRow
from rules.kernel.formulation import Formulation
from rules.kernel.measure import carried, payload_bytes
from rules.kernel.plan import Plan
from rules.kernel.problem import Path, Problem
from rules.kernel.quantities import dollars_per_hour
from rules.kernel.rule import Violation

THOUSANDTHS: Final = 1_000
SECONDS_AN_HOUR: Final = 3_600
GIB: Final = 1024**3


class Budget:
    """The powered nodes and the links, over the fleet or of one site, cost at most the ceiling; equal is kept.

    Prices are in millicents an hour. A node is powered when it holds an instance. Of a site are its nodes and what
    leaves it: each path's price is that of all of its demand, rounded up, and measured is rounded up once more.
    """

    id = "budget"
    finding_id = "GW1013"
    always = False

    def applies(self, problem: Problem) -> bool:
        """Whether the cost policy sets a ceiling for the fleet or for a site."""
        return any(ceiling.is_of_nodes for ceiling in problem.policy.cost.ceilings)

    def constrain(self, form: Formulation, problem: Problem) -> None:
        """A budget row for each ceiling."""
        for ceiling in (each for each in problem.policy.cost.ceilings if each.is_of_nodes):
            pools = [pool for pool in problem.policy.pools if not ceiling.site or pool.site == ceiling.site]
            prices = tuple(
                (node.name, pool.price_millicents_per_hour) for pool in pools for node in problem.nodes_of(pool.name)
            )
            links = carried_prices(problem, (ceiling.site,) if ceiling.site else None)
            form.add(BudgetRow(self.id, ceiling.place, prices, ceiling.millicents_per_hour, links))

    def check(self, plan: Plan, problem: Problem) -> Iterable[Violation]:
        """Add up the prices of what is powered and of what leaves, for each ceiling."""
        powered, leaving = plan.powered(), _leaving(plan, problem)
        for ceiling in problem.policy.cost.ceilings:
            if not ceiling.is_of_nodes:
                continue
            spent = -(-sum(cost for site, cost in leaving.items() if ceiling.site in {"", site}) // THOUSANDTHS)
            for node in problem.nodes:
                pool = problem.policy.pool(node.pool)
                if node.name in powered and ceiling.site in {"", pool.site}:
                    spent += pool.price_millicents_per_hour
            if spent > ceiling.millicents_per_hour:
                yield Violation(self.id, _scope(ceiling), spent, ceiling.millicents_per_hour, ceiling.place)

    def explain(self, violation: Violation) -> Finding:
        """What would be spent, and what may be."""
        message = (
            f"the powered nodes of {violation.subject} and its links cost {dollars_per_hour(violation.measured)}; "
            f"the ceiling is {dollars_per_hour(violation.limit)}"
        )
        return violation.finding(self.finding_id, message, "raise the ceiling, or relax the objectives that need nodes")


def _leaving(plan: Plan, problem: Problem) -> Counter[str]:
    """By site, thousandths of a millicent an hour for what leaves it."""
    found: Counter[str] = Counter()
    for path, share_permille in carried(plan, problem) if any(link.egress for link in problem.policy.links) else ():
        found[problem.demand(path.demand).origin] += share_permille * _whole_price(path, problem)
    return found


def _whole_price(path: Path, problem: Problem) -> int:
    """Millicents an hour if all of its demand took a path."""
    demand = problem.demand(path.demand)
    bytes_times_price = 0
    payloads = payload_bytes(path, problem.service_of(demand).stages)
    for sent, option in zip(payloads, path.options, strict=True):
        way = problem.link(problem.site_of(problem.option(option)), demand.origin)
        for price in way.egress if way else ():
            if price.site == demand.origin:
                bytes_times_price += sent * price.millicents_per_gib
    return -(-bytes_times_price * demand.rate_milli_rps * SECONDS_AN_HOUR // (THOUSANDTHS * GIB))


def _scope(ceiling: Ceiling) -> str:
    return ceiling.site or "the fleet"
