"""Budget: the nodes that are powered, and what leaves sites over links, cost no more an hour than ceilings allow."""

from collections.abc import Iterable
from typing import Final

from policy.findings import Finding
from policy.resolved import Ceiling
from policy.words import dollars_per_hour
from rules.kernel import dear_paths
from rules.kernel.dear_paths import MOST_MILLICENTS_PER_HOUR
from rules.kernel.egress import carried_prices
from rules.kernel.formulation import Budget as BudgetRow
from rules.kernel.formulation import Formulation
from rules.kernel.measure import carried, payload_bytes
from rules.kernel.plan import Plan
from rules.kernel.problem import Path, Problem
from rules.kernel.rule import Violation

THOUSANDTHS: Final = 1_000
SECONDS_AN_HOUR: Final = 3_600
GIB: Final = 1024**3


class Budget:
    """The powered nodes and the links, over the fleet or of one site, cost at most the ceiling; equal is kept.

    Prices are in millicents an hour. A node is powered when it holds an instance. Of a site are its nodes and what
    leaves it: each path's price is that of all of its demand, rounded up, and measured is rounded up once more. A path
    whose price is above MOST_MILLICENTS_PER_HOUR carries nothing that a ceiling counts; exactly that much may.
    """

    id = "budget"
    finding_id = "GW1013"
    always = False

    def applies(self, problem: Problem) -> bool:
        """Whether the cost policy sets a ceiling for the fleet or for a site."""
        return any(ceiling.is_of_nodes for ceiling in problem.policy.cost.ceilings)

    def constrain(self, form: Formulation, problem: Problem) -> None:
        """A budget row for each ceiling, and nothing on the paths that are too dear to be counted."""
        for ceiling in (each for each in problem.policy.cost.ceilings if each.is_of_nodes):
            pools = [pool for pool in problem.policy.pools if not ceiling.site or pool.site == ceiling.site]
            prices = tuple(
                (node.name, pool.price_millicents_per_hour) for pool in pools for node in problem.nodes_of(pool.name)
            )
            links = carried_prices(problem, (ceiling.site,) if ceiling.site else None)
            form.add(BudgetRow(self.id, ceiling.place, prices, ceiling.millicents_per_hour, dear_paths.capped(links)))
            form.rows += dear_paths.closed(self.id, ceiling.place, links)

    def check(self, plan: Plan, problem: Problem) -> Iterable[Violation]:
        """Add up the prices of what is powered and of what leaves, for each ceiling."""
        powered, leaving = plan.powered(), _leaving(plan, problem)
        for ceiling in problem.policy.cost.ceilings:
            if not ceiling.is_of_nodes:
                continue
            counted = [(site, share, price) for site, share, price in leaving if ceiling.site in {"", site}]
            spent = -(-sum(share_permille * price for _, share_permille, price in counted) // THOUSANDTHS)
            for node in problem.nodes:
                pool = problem.policy.pool(node.pool)
                if node.name in powered and ceiling.site in {"", pool.site}:
                    spent += pool.price_millicents_per_hour
            if spent > ceiling.millicents_per_hour:
                yield Violation(self.id, _scope(ceiling), spent, ceiling.millicents_per_hour, ceiling.place)
            most, what = MOST_MILLICENTS_PER_HOUR, dear_paths.PATH
            for site, price in sorted({(site, price) for site, _, price in counted if price > most}):
                yield Violation(self.id, f"requests from {site}", price, most, ceiling.place, what)

    def explain(self, violation: Violation) -> Finding:
        """What would be spent, and what may be."""
        if violation.quantity == dear_paths.PATH:
            return violation.finding(self.finding_id, dear_paths.told(violation), dear_paths.HINT)
        message = (
            f"the powered nodes of {violation.subject} and its links cost {dollars_per_hour(violation.measured)}; "
            f"the ceiling is {dollars_per_hour(violation.limit)}"
        )
        return violation.finding(self.finding_id, message, "raise the ceiling, or relax the objectives that need nodes")


def _leaving(plan: Plan, problem: Problem) -> list[tuple[str, int, int]]:
    """Of each path in use the site that its requests leave, its share, and what its links cost with all requests."""
    used = carried(plan, problem) if any(link.egress for link in problem.policy.links) else ()
    return [(problem.demand(path.demand).origin, share, _whole_price(path, problem)) for path, share in used]


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
