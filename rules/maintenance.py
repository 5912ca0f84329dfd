"""Maintenance: nobody is served where somebody is at work."""

from collections.abc import Iterable, Iterator

from policy.findings import Finding
from policy.resolved import Maintenance as Work
from policy.resolved import Pool
from rules.kernel.formulation import Exclusion, Formulation
from rules.kernel.measure import visits
from rules.kernel.plan import Plan
from rules.kernel.problem import Problem
from rules.kernel.quantities import instant
from rules.kernel.rule import Violation


class Maintenance:
    """No pool that a stage's requests go to is under maintenance at any second from `now_s` to `needed_until_s`.

    A window is over at its `until`, and may begin at the second at which the plan is no longer needed.
    """

    id = "maintenance"
    finding_id = "GW1027"
    always = True
    of_paths = False

    def applies(self, problem: Problem) -> bool:
        """Whether any maintenance is planned."""
        return bool(problem.policy.maintenance)

    def constrain(self, form: Formulation, problem: Problem) -> None:
        """Exclude the options in pools that somebody is at work on before the plan is no longer needed."""
        for row in self.exclusions(problem):
            form.add(row)

    def exclusions(self, problem: Problem) -> Iterator[Exclusion]:
        """Those options, for each use of them."""
        for work in problem.policy.maintenance:
            start_s = work.window.last_start_s(problem.needed_until_s)
            if start_s is None or start_s + work.window.until_s - work.window.from_s <= problem.now_s:
                continue
            reason = f"is under maintenance from {instant(start_s)} on: {work.name}"
            pools = {pool.name for pool in problem.policy.pools if pool.name in work.pools or pool.site in work.sites}
            for demand, stage, option in problem.uses():
                pool = option.placement.pool
                if pool in pools:
                    yield Exclusion(self.id, f"{pool} {reason}", work.place, option.id, demand.id, stage.name)

    def check(self, plan: Plan, problem: Problem) -> Iterable[Violation]:
        """Look for the first second at which somebody is at work on each pool in use."""
        for visit in visits(plan, problem):
            for work in problem.policy.maintenance:
                first_s = work.window.first_s(problem.now_s) if _is_of(work, problem.pool_of(visit.option)) else None
                if first_s is not None and first_s < problem.needed_until_s:
                    yield Violation(self.id, str(visit), first_s, problem.needed_until_s, work.place, work.name)

    def explain(self, violation: Violation) -> Finding:
        """From when on nobody may be served there."""
        message = (
            f"{violation.subject}: {violation.quantity} begins at {instant(violation.measured)}; nobody may be served "
            f"there before {instant(violation.limit)}"
        )
        return violation.finding(self.finding_id, message, "let the stage run on another pool, or work at another time")


def _is_of(work: Work, pool: Pool) -> bool:
    return not {pool.name}.isdisjoint(work.pools) or not {pool.site}.isdisjoint(work.sites)
