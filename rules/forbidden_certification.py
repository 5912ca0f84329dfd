"""Forbidden certification: protected data is kept from where a standard is held that must not be."""

from collections.abc import Iterable, Iterator

from policy.clauses import ForbiddenClause
from policy.findings import Finding
from policy.resolved import Pool
from rules.kernel.formulation import Exclusion, Formulation
from rules.kernel.measure import is_covered, visits
from rules.kernel.plan import Plan
from rules.kernel.pools import excluded_pools, held_by
from rules.kernel.problem import Problem
from rules.kernel.quantities import instant
from rules.kernel.rule import Violation


class ForbiddenCertification:
    """No pool that runs a covered stage holds the standard of a clause at any second from `now_s` to `needed_until_s`.

    Neither the pool nor its site may hold it, in a version that the clause means. A certification holds from its first
    second and no longer at its last, and the last second of the span is the one before `needed_until_s`.
    """

    id = "forbidden_certification"
    finding_id = "GW1016"
    always = True
    of_paths = False

    def applies(self, problem: Problem) -> bool:
        """Whether any compliance profile forbids a certification."""
        return any(profile.forbidden for profile in problem.policy.compliance)

    def constrain(self, form: Formulation, problem: Problem) -> None:
        """Exclude the pools that hold such a standard from every stage that is kept from it."""
        for row in self.exclusions(problem):
            form.add(row)

    def exclusions(self, problem: Problem) -> Iterator[Exclusion]:
        """The options in those pools, for each use of them."""
        for profile in problem.policy.compliance:
            for clause in profile.forbidden:
                reasons = {
                    pool.name: f"{pool.name} holds {clause.standard}, which must not be held"
                    for pool in problem.policy.pools
                    if _holds_at_some_time(problem, clause, pool)
                }
                yield from excluded_pools(self.id, problem, profile, clause.place, reasons)

    def check(self, plan: Plan, problem: Problem) -> Iterable[Violation]:
        """Look for the first second at which each pool in use holds what it must not."""
        used = visits(plan, problem)
        for profile in problem.policy.compliance:
            covered = [visit for visit in used if is_covered(visit, profile)]
            for clause in profile.forbidden:
                for visit in covered:
                    from_s = _first_held_s(problem, clause, problem.pool_of(visit.option))
                    if from_s is not None and from_s < problem.needed_until_s:
                        what = str(clause.standard)
                        yield Violation(self.id, str(visit), from_s, problem.needed_until_s, clause.place, what)

    def explain(self, violation: Violation) -> Finding:
        """Which standard is held, and from when on it must not be."""
        message = (
            f"{violation.subject}: {violation.quantity} is held from {instant(violation.measured)} on; it must not be "
            f"held before {instant(violation.limit)}"
        )
        return violation.finding(self.finding_id, message, "let the stage run on another pool, or forbid less")


def _holds_at_some_time(problem: Problem, clause: ForbiddenClause, pool: Pool) -> bool:
    """Whether two spans, of what is held and of what is looked at, have a second in common."""
    span = range(problem.now_s, problem.needed_until_s)
    return any(
        range(max(span.start, held.from_s), min(span.stop, held.until_s))
        for held in held_by(problem, pool, clause.standard.met_by)
    )


def _first_held_s(problem: Problem, clause: ForbiddenClause, pool: Pool) -> int | None:
    """The first second from now on at which it is held; None where it never is."""
    firsts = [
        (max(held.from_s, problem.now_s), held.until_s) for held in held_by(problem, pool, clause.standard.met_by)
    ]
    return min((first_s for first_s, until_s in firsts if first_s < until_s), default=None)
