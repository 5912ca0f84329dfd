"""Which rules refuse a path, whoever stands where: each stated in other words than for the solver and the verifier."""

from collections.abc import Iterator

from policy.clauses import (
    AttestationClause,
    CertificationClause,
    ComplianceProfile,
    ProvenanceClause,
    Standard,
    VersionBound,
)
from policy.resolved import Model, UseVariant, Variant
from rules.kernel.problem import Held, Option, Path, Problem

STRENGTH = ("none", "tls", "mtls")


def refusing(problem: Problem, path: Path) -> frozenset[str]:
    """The rules that let nothing take the path."""
    return frozenset(_refusing(problem, path))


def _refusing(problem: Problem, path: Path) -> Iterator[str]:
    demand = problem.demand(path.demand)
    service = problem.policy.service(demand.service)
    for objective in (each for each in service.latency if not each.origin or each.origin == demand.origin):
        told = [us for basis, us in path.latency_us if basis >= objective.percentile_bp]
        if (told[0] if told else path.latency_us[-1][1]) > objective.below_us:
            yield "latency"
    for stage, option in zip(service.stages, (problem.option(name) for name in path.options), strict=True):
        exempt = any(
            isinstance(step, UseVariant)
            and step.model == option.placement.model
            and step.variant == option.placement.variant
            for step in service.degrade
        )
        if service.accuracy and not exempt and option.accuracy_ppm < service.accuracy.floor_ppm:
            yield "accuracy"
        for profile in problem.policy.compliance:
            scope = profile.scope
            if set(scope.classes) & set(service.data_classes) and stage.name in (scope.stages or [stage.name]):
                yield from _objections(problem, profile, demand.origin, option)


def _objections(problem: Problem, profile: ComplianceProfile, origin: str, option: Option) -> Iterator[str]:
    pool = option.placement.pool
    site = next(each.site for each in problem.policy.pools if each.name == pool)
    if any(not _certified(problem, clause, pool, site) for clause in profile.certifications):
        yield "certification"
    if any(_held_ever(problem, clause.standard, pool, site) for clause in profile.forbidden):
        yield "forbidden_certification"
    made = [each.digest for model in problem.policy.models for each in model.variants if _is_of(option, model, each)]
    if any(not _vouched_for(problem, clause, made) for clause in profile.provenance):
        yield "provenance"
    if profile.attestation and not _attested(problem, profile.attestation, pool, site):
        yield "attestation"
    bought = next(each.purchase for each in problem.policy.pools if each.name == pool)
    if profile.purchase and not {bought} & set(profile.purchase.among):
        yield "purchase"
    yield from _on_the_way(problem, profile, origin, site)


def _on_the_way(problem: Problem, profile: ComplianceProfile, origin: str, site: str) -> Iterator[str]:
    links = [each for each in problem.policy.links if {each.a, each.b} == {origin, site}]
    if profile.residency:
        within = set(profile.residency.within)
        ends = [each.jurisdictions for each in problem.policy.sites if each.name in {origin, site}]
        inside = all(within & set(names) for names in ends)
        crossing = origin == site or any(within >= set(each.transit) for each in links)
        if not (inside and crossing):
            yield "residency"
    asked = profile.link_evidence.standards if profile.link_evidence and origin != site else ()
    if asked and not _proven(problem, asked, {each.name for each in links}):
        yield "link_evidence"
    if profile.link_security and origin != site:
        strength = STRENGTH.index(profile.link_security.encryption.value)
        if not any(STRENGTH.index(each.encryption.value) >= strength for each in links):
            yield "link_security"


def _proven(problem: Problem, standards: tuple[str, ...], names: set[str]) -> bool:
    """Whether in each second one of these is stated of a link of that name."""
    said = [
        each
        for each in problem.certifications
        if each.subject_kind == "link" and each.subject in names and each.standard in standards
    ]
    seconds = range(problem.now_s, problem.needed_until_s)
    return all(any(each.from_s <= second < each.until_s for each in said) for second in seconds)


def _certified(problem: Problem, clause: CertificationClause, pool: str, site: str) -> bool:
    """Whether in each second one of the standards is held."""
    held = [each for standard in clause.any_of for each in _held(problem, standard, pool, site)]
    seconds = range(problem.now_s, problem.needed_until_s)
    return all(any(each.from_s <= second < each.until_s for each in held) for second in seconds)


def _attested(problem: Problem, clause: AttestationClause, pool: str, site: str) -> bool:
    """Whether in each second some result of each node is there, is young enough and says all that is asked."""
    nodes = next(each.nodes for each in problem.policy.pools if each.name == pool)
    return all(
        _node_attested(problem, clause, {("pool", pool), ("site", site), ("node", f"{pool}-{at}")})
        for at in range(nodes)
    )


def _node_attested(problem: Problem, clause: AttestationClause, subjects: set[tuple[str, str]]) -> bool:
    results = [
        each
        for each in problem.attestations
        if (each.subject_kind, each.subject) in subjects
        and not (clause.tees and (not each.tees or any(tee not in clause.tees for tee in each.tees)))
        and all(claim in each.claims for claim in clause.claims)
        and all(feature in each.devices for feature in clause.devices)
        and each.verifier in (clause.verifiers or [each.verifier])
    ]
    return all(
        any(
            each.from_s <= second < each.until_s
            and not (clause.max_age_s and second - each.appraised_s >= clause.max_age_s)
            for each in results
        )
        for second in range(problem.now_s, problem.needed_until_s)
    )


def _is_of(option: Option, model: Model, variant: Variant) -> bool:
    return (option.placement.model, option.placement.variant) == (model.name, variant.name)


def _vouched_for(problem: Problem, clause: ProvenanceClause, digests: list[str]) -> bool:
    """Whether in each second somebody who may says it of the digest."""
    said = [
        each
        for each in problem.provenances
        if [each.digest] == digests
        and each.standard == clause.standard.name
        and all(_stands(each.version, bound) for bound in clause.standard.bounds)
        and each.signer in (clause.signers or [each.signer])
    ]
    seconds = range(problem.now_s, problem.needed_until_s)
    return all(any(each.from_s <= second < each.until_s for each in said) for second in seconds)


def _held_ever(problem: Problem, standard: Standard, pool: str, site: str) -> bool:
    """Whether in any second the standard is held."""
    held = _held(problem, standard, pool, site)
    seconds = range(problem.now_s, problem.needed_until_s)
    return any(each.from_s <= second < each.until_s for each in held for second in seconds)


def _held(problem: Problem, standard: Standard, pool: str, site: str) -> list[Held]:
    """What is held of a standard in versions that are meant."""
    return [
        each
        for each in problem.certifications
        if (each.subject_kind, each.subject) in {("pool", pool), ("site", site)}
        and each.standard == standard.name
        and all(_stands(each.version, bound) for bound in standard.bounds)
    ]


def _stands(version: tuple[int, ...], bound: VersionBound) -> bool:
    """Whether a version stands to a bound's as it says; 4 is 4.0.0."""
    held, asked = [*version, 0, 0, 0][:3], [*bound.version, 0, 0, 0][:3]
    return {
        ">=": held >= asked,
        ">": held > asked,
        "<=": held <= asked,
        "<": held < asked,
        "=": held == asked,
    }[bound.comparison.value]
