"""Together: requests change neither site nor pool between stages that are not to be parted."""

from collections.abc import Iterable, Iterator
from typing import Final

from policy.findings import Finding
from policy.resolved import Service, TogetherClause, Within
from rules.kernel.formulation import Exclusion, Formulation
from rules.kernel.measure import carried
from rules.kernel.plan import Plan
from rules.kernel.problem import Path, Problem
from rules.kernel.rule import Violation

OF_SITES: Final = frozenset({Within.SITE, Within.RACK})
"""Clauses that ask for one site; the others ask for one pool."""


class Together:
    """Each path in use has one site, or one pool, for the stages that a clause names.

    A rack is at one site, and a node in one pool; the rule `gathering` keeps what else is asked of them. Measured is at
    how many sites, or in how many pools, the stages run; the limit is 1.
    """

    id = "together"
    finding_id = "GW1023"
    always = False
    of_paths = True

    def applies(self, problem: Problem) -> bool:
        """Whether any service keeps stages together."""
        return any(service.together for service in problem.policy.services)

    def constrain(self, form: Formulation, problem: Problem) -> None:
        """Exclude the paths that part such stages."""
        for row in self.exclusions(problem):
            form.add(row)

    def exclusions(self, problem: Problem) -> Iterator[Exclusion]:
        """Those paths, once for each clause."""
        clauses = {demand.id: _by_position(problem.service_of(demand)) for demand in problem.demands}
        for path in problem.paths:
            for clause, positions in clauses[path.demand]:
                first, *others = (_where(problem, path.options[at], clause) for at in positions)
                for other in others:
                    if other != first:
                        what = "site" if clause.within in OF_SITES else "pool"
                        reason = f"{' and '.join(clause.stages)} run at one {what}, not at {first} and {other}"
                        yield Exclusion(self.id, reason, clause.place, path=path.id)
                        break

    def check(self, plan: Plan, problem: Problem) -> Iterable[Violation]:
        """Count the sites, or the pools, of the stages of every path in use."""
        for path, _ in carried(plan, problem):
            service = problem.service_of(problem.demand(path.demand))
            for clause in service.together:
                places = _places(problem, service, path, clause)
                _, *others = places
                if others:
                    what = "sites" if clause.within in OF_SITES else "pools"
                    yield Violation(self.id, path.id, len(places), 1, clause.place, what)

    def explain(self, violation: Violation) -> Finding:
        """Over how many places the stages are spread."""
        message = (
            f"path {violation.subject}: stages that stay together run at {violation.measured} {violation.quantity}, "
            f"and {violation.limit} is asked"
        )
        hint = "add a place where all of them may run, or part them by taking the clause out"
        return violation.finding(self.finding_id, message, hint)


def _by_position(service: Service) -> list[tuple[TogetherClause, list[int]]]:
    """Each clause with where its stages stand among the service's."""
    names = [stage.name for stage in service.stages]
    return [(clause, [names.index(name) for name in clause.stages]) for clause in service.together]


def _where(problem: Problem, option: str, clause: TogetherClause) -> str:
    chosen = problem.option(option)
    return problem.site_of(chosen) if clause.within in OF_SITES else chosen.placement.pool


def _places(problem: Problem, service: Service, path: Path, clause: TogetherClause) -> set[str]:
    """The sites, or the pools, at which a path serves the stages."""
    pools = {
        problem.pool_of(problem.option(option))
        for stage, option in zip(service.stages, path.options, strict=True)
        if stage.name in clause.stages
    }
    return {pool.site if clause.within in OF_SITES else pool.name for pool in pools}
