"""Attestation: protected data is handled only on nodes that a verifier has affirmed, and affirms again in time."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

from policy.clauses import AFFIRMING, AttestationClause, Tcb, TcbClause
from policy.findings import Finding
from policy.resolved import Pool
from rules.kernel.evidence import Attested
from rules.kernel.formulation import Exclusion, Formulation
from rules.kernel.measure import is_covered, visits
from rules.kernel.plan import Plan
from rules.kernel.pools import Found, by_node, excluded_without
from rules.kernel.problem import Problem
from rules.kernel.quantities import instant
from rules.kernel.rule import Violation
from rules.kernel.spans import Span, unbroken_until_s


class Attestation:
    """Each pool that runs a covered stage is attested as the clause asks from `now_s` until `needed_until_s`.

    Results may be of the pool, of its site, or of each of its nodes. A result holds from its first second, and no
    longer at its last or once it is as old as the clause allows; a newer one that takes over without a gap carries on.
    """

    id = "attestation"
    finding_id = "GW1018"
    always = True
    of_paths = False

    def applies(self, problem: Problem) -> bool:
        """Whether any compliance profile asks for attestation."""
        return any(profile.attestation for profile in problem.policy.compliance)

    def constrain(self, form: Formulation, problem: Problem) -> None:
        """Exclude the pools that are not attested so from every stage that the clause protects."""
        for row in self.exclusions(problem):
            form.add(row)

    def exclusions(self, problem: Problem) -> Iterator[Exclusion]:
        """The options in those pools, for each use of them."""
        for profile in problem.policy.compliance:
            if profile.attestation:
                clause = profile.attestation
                yield from excluded_without(self.id, problem, profile, clause, said_of(problem, clause))

    def check(self, plan: Plan, problem: Problem) -> Iterable[Violation]:
        """Follow the results of every node of the pools in use to the second at which the first of them ends."""
        used = visits(plan, problem)
        for profile in problem.policy.compliance:
            clause = profile.attestation
            if clause is None:
                continue
            counting, end_s = _counting(problem, clause), dict[str, int]()
            for visit in used:
                if is_covered(visit, profile):
                    pool = problem.pool_of(visit.option)
                    if pool.name not in end_s:
                        end_s[pool.name] = _attested_until_s(counting, pool, problem.now_s)
                    held_s, needed_s = end_s[pool.name], problem.needed_until_s
                    if held_s < needed_s:
                        yield Violation(self.id, str(visit), held_s, needed_s, clause.place, str(clause))

    def explain(self, violation: Violation) -> Finding:
        """What is not attested, and until when it would have to be."""
        held = f"holds until {instant(violation.measured)}" if violation.measured else "is missing"
        message = f"{violation.subject}: {violation.quantity} {held}; it is needed until {instant(violation.limit)}"
        return violation.finding(
            self.finding_id, message, "have the nodes attested again, or let the stage run on another pool"
        )


def said_of(problem: Problem, clause: AttestationClause) -> Callable[[Pool], Iterator[list[Span]]]:
    """What tells for each node of a pool when results that the clause means count of it."""
    return partial(by_node, _spans(problem, clause))


def _spans(problem: Problem, clause: AttestationClause) -> Found:
    """When results that the clause means are young enough, by what they are of."""
    found: Found = {}
    for each in problem.attestations:
        if clause.met_by(each):
            aged_s = each.since_s(clause) + clause.max_age_s if clause.max_age_s else each.until_s
            found.setdefault((each.subject_kind, each.subject), []).append((each.from_s, min(each.until_s, aged_s)))
    return found


def _counting(problem: Problem, clause: AttestationClause) -> defaultdict[tuple[str, str], list[Span]]:
    """By kind and name of a subject, when a result that lacks nothing counts."""
    counting: defaultdict[tuple[str, str], list[Span]] = defaultdict(list)
    for result in problem.attestations:
        if not _is_lacking(result, clause):
            until_s = result.until_s
            if clause.max_age_s:
                born_s = result.appraised_s if result.nonce_s is None or not clause.nonce else result.nonce_s
                until_s = min(until_s, born_s + clause.max_age_s)
            counting[result.subject_kind, result.subject].append((result.from_s, until_s))
    return counting


def _attested_until_s(counting: Mapping[tuple[str, str], list[Span]], pool: Pool, now_s: int) -> int:
    """The first second at which no result counts of some node of the pool, 0 where none does now.

    A pool without nodes has what is said of itself and of its site.
    """
    ends_s = []
    for node in pool.node_names() or ("",):
        subjects = (("pool", pool.name), ("site", pool.site), ("node", f"{pool.name}/{node}"))
        spans = [span for subject in subjects for span in counting.get(subject, ())]
        ends_s.append(unbroken_until_s(spans, now_s))
    return min(ends_s)


def _is_lacking(result: Attested, clause: AttestationClause) -> bool:
    """Whether a result lacks anything that is asked of it, but for its age."""
    is_strange = bool(clause.verifiers) and result.verifier not in clause.verifiers
    is_warned_of = result.tier not in (AFFIRMING, clause.min_tier)
    is_unasked = clause.nonce and result.nonce_s is None
    is_elsewhere = bool(clause.tees) and (not result.tees or any(each not in clause.tees for each in result.tees))
    lacks_claims = any(each not in result.claims for each in clause.claims)
    lacks_devices = any(each not in result.devices for each in clause.devices)
    tcb = clause.tcb
    is_dated = tcb is not None and (not result.tcbs or any(_is_dated(each, tcb) for each in result.tcbs))
    return any((is_strange, is_warned_of, is_unasked, is_elsewhere, lacks_claims, lacks_devices, is_dated))


def _is_dated(tcb: Tcb, clause: TcbClause) -> bool:
    """Whether an environment is not known to be as up to date as asked."""
    if tcb.status:
        return tcb.status not in clause.statuses
    known = all(any(name == asked and has >= least for name, has in tcb.versions) for asked, least in clause.versions)
    return not clause.versions or not known
