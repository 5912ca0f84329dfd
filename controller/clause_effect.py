"""What a clause does to the plan: what it bars, with the evidence behind, and what the plan would be without it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from controller.clause_words import said
from controller.comparison import known_to
from controller.documents import Documents
from controller.grounds import Proof, everything, proofs
from controller.planning.diff import Change, diff
from controller.settling import settled
from controller.testing.exercise import exercised
from controller.testing.rest import Rest, rest
from controller.testing.scene import opening
from policy.clause_list import WrittenClause, clauses_of, without_clause
from policy.findings import Place
from policy.resolved import Policy


@dataclass(frozen=True, slots=True)
class Bar:
    """A use that the clause bars: a stage of a service, asked for from an origin, on a pool."""

    service: str
    origin: str
    stage: str
    pool: str
    reason: str


@dataclass(frozen=True, slots=True)
class Effect:
    """A clause and what it does. `takes_part` is as tests count it; what does not may still change the plan.

    `barred_paths` are those that it bars as a whole, such as by their latency.
    `without_millicents_per_hour` is what would be paid if it were not written, and `changes` what would move.
    """

    place: Place
    clause: str
    takes_part: bool
    bars: tuple[Bar, ...]
    barred_paths: int
    evidence: tuple[Proof, ...]
    cost_millicents_per_hour: int
    without_millicents_per_hour: int
    changes: tuple[Change, ...]


def clauses_at(policy: Policy, subject: str) -> tuple[WrittenClause, ...]:
    """The clauses of a document other than a Service by its name, or those at `file:line` or `file:line:column`.

    An organisation's and a team's are known by `Team payments` and by `payments`.
    """
    return tuple(
        each
        for each in clauses_of(policy)
        if subject in {str(each.place), f"{each.place.file}:{each.place.line}"}
        or (subject in {each.name, each.name.rpartition(" ")[2]} and each.kind != "Service")
    )


def effects(written: Sequence[WrittenClause], documents: Documents, now: datetime) -> tuple[Effect, ...]:
    """What each clause does to the plan that the fleet comes to rest with, at the rates that services expect."""
    _, resting = rest(opening(documents.policy, documents.evidence, now))
    part = exercised(resting)
    return tuple(_effect(each, resting, documents, takes_part=each.place in part, now=now) for each in written)


def _effect(each: WrittenClause, resting: Rest, documents: Documents, *, takes_part: bool, now: datetime) -> Effect:
    policy, before = documents.policy, resting.decision
    less = without_clause(policy, each.place)
    after = settled(less, documents.evidence, now, known_to(less, before.fleet)).decision
    return Effect(
        each.place,
        said(each),
        takes_part,
        _bars(each, resting),
        sum(row.place == each.place for row in resting.built.slow),
        proofs(each.clause, everything(policy), policy, documents.evidence),
        before.cost_millicents_per_hour,
        after.cost_millicents_per_hour,
        diff(before.fleet, after.fleet),
    )


def _bars(each: WrittenClause, resting: Rest) -> tuple[Bar, ...]:
    """What the rows of the clause bar; one for each pool, whatever the variant."""
    problem = resting.built.whole
    found: dict[Bar, None] = {}
    for row in resting.built.exclusions:
        if row.place == each.place and row.demand:
            demand, pool = problem.demand(row.demand), problem.option(row.option).placement.pool
            found[Bar(demand.service, demand.origin, row.stage, pool, row.reason)] = None
    return tuple(found)
