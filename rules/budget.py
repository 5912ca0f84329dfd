"""Budget: the nodes that are powered cost no more an hour than the ceilings allow."""

from collections.abc import Iterable

from policy.findings import Finding
from policy.resolved import Ceiling
from rules.kernel.formulation import Budget as BudgetRow
from rules.kernel.formulation import Formulation
from rules.kernel.plan import Plan
from rules.kernel.problem import Problem
from rules.kernel.quantities import dollars_per_hour
from rules.kernel.rule import Violation


class Budget:
    """The prices of the powered nodes, over the fleet or at one site, sum to at most the ceiling; equal is kept.

    Prices are in millicents an hour. A node is powered when it holds an instance.
    """

    id = "budget"
    finding_id = "GW1013"
    always = False

    def applies(self, problem: Problem) -> bool:
        """Whether the cost policy sets a ceiling."""
        return bool(problem.policy.cost.ceilings)

    def constrain(self, form: Formulation, problem: Problem) -> None:
        """A budget row for each ceiling."""
        for ceiling in problem.policy.cost.ceilings:
            pools = [pool for pool in problem.policy.pools if not ceiling.site or pool.site == ceiling.site]
            prices = tuple(
                (node.name, pool.price_millicents_per_hour) for pool in pools for node in problem.nodes_of(pool.name)
            )
            form.add(BudgetRow(self.id, ceiling.place, prices, ceiling.millicents_per_hour))

    def check(self, plan: Plan, problem: Problem) -> Iterable[Violation]:
        """Add up the prices of what is powered, for each ceiling."""
        powered = plan.powered()
        for ceiling in problem.policy.cost.ceilings:
            spent = 0
            for node in problem.nodes:
                pool = problem.policy.pool(node.pool)
                if node.name in powered and ceiling.site in {"", pool.site}:
                    spent += pool.price_millicents_per_hour
            if spent > ceiling.millicents_per_hour:
                yield Violation(self.id, _scope(ceiling), spent, ceiling.millicents_per_hour, ceiling.place)

    def explain(self, violation: Violation) -> Finding:
        """What would be spent, and what may be."""
        message = (
            f"the powered nodes of {violation.subject} cost {dollars_per_hour(violation.measured)}; "
            f"the ceiling is {dollars_per_hour(violation.limit)}"
        )
        return violation.finding(self.finding_id, message, "raise the ceiling, or relax the objectives that need nodes")


def _scope(ceiling: Ceiling) -> str:
    return ceiling.site or "the fleet"
