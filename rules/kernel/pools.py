"""Clauses on the pools that stages run in: what they exclude, what is held there, and of which of their nodes."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from policy.clauses import AttestationClause, ComplianceProfile, StorageClause
from policy.findings import Place
from policy.resolved import Pool
from rules.kernel.evidence import Held
from rules.kernel.formulation import Exclusion
from rules.kernel.problem import Problem
from rules.kernel.quantities import instant
from rules.kernel.spans import Span, cover

Found = dict[tuple[str, str], list[Span]]
"""By kind and name of a subject, when something is attested of it."""
Lasting = AttestationClause | StorageClause
"""Clauses on what is said of nodes."""


def excluded_pools(
    rule: str, problem: Problem, profile: ComplianceProfile, place: Place, reasons: Mapping[str, str]
) -> Iterator[Exclusion]:
    """The options in the pools against which there is a reason, for each use by a stage that the profile covers."""
    for demand in problem.demands if reasons else ():
        for stage in problem.covered(profile, problem.service_of(demand)):
            for option in problem.options_of(stage.model):
                reason = reasons.get(option.placement.pool)
                if reason:
                    yield Exclusion(rule, reason, place, option.id, demand.id, stage.name)


def excluded_without(
    rule: str,
    problem: Problem,
    profile: ComplianceProfile,
    clause: Lasting,
    said_of: Callable[[Pool], Iterable[list[Span]]],
) -> Iterator[Exclusion]:
    """The options in pools of which a clause's word does not last, on every node, from `now_s` to `needed_until_s`.

    `said_of` tells for each node of a pool when it is said of it.
    """
    needed = range(problem.now_s, problem.needed_until_s)
    lacking = {
        pool.name: f"{pool.name} has no {clause}, needed until {instant(problem.needed_until_s)}"
        for pool in problem.policy.pools
        if not all(cover(spans, needed) for spans in said_of(pool))
    }
    yield from excluded_pools(rule, problem, profile, clause.place, lacking)


def held_by(problem: Problem, pool: Pool, is_meant: Callable[[str, tuple[int, ...]], bool]) -> tuple[Held, ...]:
    """What the pool or its site holds of the standards and versions that are meant, whenever."""
    subjects = (("pool", pool.name), ("site", pool.site))
    return tuple(
        held
        for held in problem.certifications
        if (held.subject_kind, held.subject) in subjects and is_meant(held.standard, held.version)
    )


def by_node(found: Found, pool: Pool) -> Iterator[list[Span]]:
    """For each node of a pool, when it is attested: by itself, with its pool or with its site.

    A pool that has lost its last node is attested with nothing but itself and its site, rather than by nobody's word.
    """
    whole = [*found.get(("pool", pool.name), ()), *found.get(("site", pool.site), ())]
    for node in pool.node_subjects() or ("",):
        yield [*whole, *found.get(("node", node), ())]
