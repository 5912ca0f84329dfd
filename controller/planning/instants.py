"""When what evidence tells may change."""

from collections.abc import Iterable
from itertools import chain

from collectors.evidence.records import FOREVER
from rules.kernel.evidence import Attested, Held, Vouched
from rules.kernel.problem import Problem


def instants(problem: Problem) -> list[int]:
    """The seconds after now at which what holds may change, in order."""
    return sorted(second for second in ever(problem) if problem.now_s < second < int(FOREVER.timestamp()))


def ever(problem: Problem) -> set[int]:
    """All seconds at which what evidence tells begins, ends, or is too old."""
    spans: Iterable[Held | Attested | Vouched] = chain(
        problem.certifications, problem.attestations, problem.provenances
    )
    found = {second for each in spans for second in (each.from_s, each.until_s)}
    clauses = {each.attestation for each in problem.policy.compliance if each.attestation}
    found |= {each.since_s(one) + one.max_age_s for each in problem.attestations for one in clauses if one.max_age_s}
    return found
