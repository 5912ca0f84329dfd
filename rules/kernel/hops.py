"""Clauses on the way between an origin and the site of a stage: which options such a clause excludes."""

from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar

from policy.clauses import ComplianceProfile
from policy.findings import Place
from rules.kernel.formulation import Exclusion
from rules.kernel.problem import Problem


class Clause(Protocol):
    """What somebody asks for."""

    @property
    def place(self) -> Place:
        """Where it is written."""
        ...


Asked = TypeVar("Asked", bound=Clause)


def excluded(
    rule: str,
    problem: Problem,
    clause_of: Callable[[ComplianceProfile], Asked | None],
    objection: Callable[[Problem, Asked, str, str], str],
) -> Iterator[Exclusion]:
    """The options at sites to which the clause objects, for every stage of a demand that its profile covers.

    `objection` tells for an origin and a site what is wrong with the way, empty when nothing is.
    """
    for profile in problem.policy.compliance:
        clause = clause_of(profile)
        wrong: dict[str, dict[str, str]] = {}
        for demand in problem.demands if clause else ():
            covered = problem.covered(profile, problem.service_of(demand))
            if clause is None or not covered:
                continue
            if demand.origin not in wrong:
                wrong[demand.origin] = {
                    pool.name: objection(problem, clause, demand.origin, pool.site) for pool in problem.policy.pools
                }
            reasons = wrong[demand.origin]
            for stage in covered:
                for option in problem.options_of(stage.model):
                    if reason := reasons[option.placement.pool]:
                        yield Exclusion(rule, reason, clause.place, option.id, demand.id, stage.name)
