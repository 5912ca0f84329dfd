"""Encryption at rest: protected data is handled only where somebody vouches that what is stored is encrypted."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from policy.clauses import AFFIRMING, StorageClause
from policy.findings import Finding
from policy.resolved import Pool
from rules.kernel.formulation import Exclusion, Formulation
from rules.kernel.measure import is_covered, visits
from rules.kernel.plan import Plan
from rules.kernel.pools import Found, by_node, excluded_without, held_by
from rules.kernel.problem import Problem
from rules.kernel.quantities import instant
from rules.kernel.rule import Violation
from rules.kernel.spans import Span, unbroken_until_s


class EncryptionAtRest:
    """Each pool that runs a covered stage encrypts what it stores, from `now_s` until `needed_until_s`.

    The pool or its site is certified so, or a verifier affirms it of every part of the pool, its site or each of its
    nodes and warns of none; the one may carry on where the other ends. Either holds from its first second, and no
    longer at its last.
    """

    id = "encryption_at_rest"
    finding_id = "GW1067"
    always = True
    of_paths = False

    def applies(self, problem: Problem) -> bool:
        """Whether any compliance profile asks for encryption at rest."""
        return any(profile.storage for profile in problem.policy.compliance)

    def constrain(self, form: Formulation, problem: Problem) -> None:
        """Exclude the pools of which nobody says so from every stage that the clause protects."""
        for row in self.exclusions(problem):
            form.add(row)

    def exclusions(self, problem: Problem) -> Iterator[Exclusion]:
        """The options in those pools, for each use of them."""
        for profile in problem.policy.compliance:
            if profile.storage:
                clause = profile.storage
                yield from excluded_without(self.id, problem, profile, clause, said_of(problem, clause))

    def check(self, plan: Plan, problem: Problem) -> Iterable[Violation]:
        """Follow what is said of every pool in use to the second at which it ends for a first node."""
        used = visits(plan, problem)
        for profile in problem.policy.compliance:
            clause, end_s = profile.storage, dict[str, int]()
            if clause is None:
                continue
            for visit in used:
                if is_covered(visit, profile):
                    pool = problem.pool_of(visit.option)
                    if pool.name not in end_s:
                        end_s[pool.name] = _encrypted_until_s(problem, clause, pool)
                    held_s, needed_s = end_s[pool.name], problem.needed_until_s
                    if held_s < needed_s:
                        yield Violation(self.id, str(visit), held_s, needed_s, clause.place, str(clause))

    def explain(self, violation: Violation) -> Finding:
        """What nobody says, and until when somebody would have to."""
        held = f"holds until {instant(violation.measured)}" if violation.measured else "is missing"
        message = f"{violation.subject}: {violation.quantity} {held}; it is needed until {instant(violation.limit)}"
        return violation.finding(
            self.finding_id, message, "have the pool certified or attested so, or let the stage run on another pool"
        )


def said_of(problem: Problem, clause: StorageClause) -> Callable[[Pool], Iterator[list[Span]]]:
    """What tells for each node of a pool when somebody says so of it."""
    return partial(_spans, problem, clause)


def _spans(problem: Problem, clause: StorageClause, pool: Pool) -> Iterator[list[Span]]:
    """For each node of a pool, when it is certified or attested so."""
    certified = [
        (held.from_s, held.until_s) for held in held_by(problem, pool, lambda name, _: name == clause.standard)
    ]
    attested: Found = {}
    for each in problem.attestations:
        if clause.affirmed_by(each):
            attested.setdefault((each.subject_kind, each.subject), []).append((each.from_s, each.until_s))
    for spans in by_node(attested, pool):
        yield [*certified, *spans]


def _encrypted_until_s(problem: Problem, clause: StorageClause, pool: Pool) -> int:
    """The first second at which nobody says so of a node of the pool, 0 where nobody does now.

    Of a pool without nodes somebody has to say so of itself or of its site.
    """
    ends_s = []
    for node in pool.node_names() or ("",):
        whole = {("pool", pool.name), ("site", pool.site)}
        spans = [
            (said.from_s, said.until_s)
            for said in problem.certifications
            if said.standard == clause.standard and (said.subject_kind, said.subject) in whole
        ]
        for result in problem.attestations:
            is_of = (result.subject_kind, result.subject) in {*whole, ("node", f"{pool.name}/{node}")}
            if is_of and clause.claim in result.claims and result.tier == AFFIRMING:
                spans.append((result.from_s, result.until_s))
        ends_s.append(unbroken_until_s(spans, problem.now_s))
    return min(ends_s)
