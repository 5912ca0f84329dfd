"""How long the answers on compliance hold: an admission policy knows no time, so they have to be made anew by then."""

from collections.abc import Iterator
from typing import Final

from collectors.evidence.records import FOREVER
from rules.kernel.evidence import Attested, Held, Vouched
from rules.kernel.problem import Problem
from rules.kernel.quantities import instant

VALID_UNTIL: Final = "gridwright.dev/valid-until"
"""An annotation: by when a ConfigMap has to be made anew."""
_FOREVER_S: Final = int(FOREVER.timestamp())


def valid_until(problem: Problem) -> str:
    """When the answers may first be others, as people read it."""
    turn_s = first_turn_s(problem)
    return "the policy or its evidence changes" if turn_s is None else instant(turn_s)


def first_turn_s(problem: Problem) -> int | None:
    """When the answers may first be others, in Unix time; None where time alone changes nothing."""
    ahead_s = problem.needed_until_s - problem.now_s
    turns_s = (second_s for each in _turns_s(problem) for second_s in (each - ahead_s + 1, each))
    return min((each for each in turns_s if each > problem.now_s), default=None)


def _turns_s(problem: Problem) -> Iterator[int]:
    """When evidence begins to hold, ends or gets too old, in Unix time. What never ends has no such second."""
    spans: list[Held | Attested | Vouched] = [*problem.certifications, *problem.attestations, *problem.provenances]
    yield from (each for span in spans for each in (span.from_s, span.until_s) if each != _FOREVER_S)
    clauses = [p.attestation for p in problem.policy.compliance if p.attestation and p.attestation.max_age_s]
    yield from (result.since_s(each) + each.max_age_s for result in problem.attestations for each in clauses)
