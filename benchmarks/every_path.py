"""Which rules refuse a path, whoever stands where: each stated in other words than for the solver and the verifier."""

from collections.abc import Iterator

from policy.resolved import CertificationClause, ComplianceProfile, UseVariant
from rules.kernel.problem import Option, Path, Problem

STRENGTH = ("none", "tls", "mtls")


def refusing(problem: Problem, path: Path) -> frozenset[str]:
    """The rules that let nothing take the path."""
    return frozenset(_refusing(problem, path))


def _refusing(problem: Problem, path: Path) -> Iterator[str]:
    demand = problem.demand(path.demand)
    service = problem.policy.service(demand.service)
    for objective in service.latency:
        told = [us for basis, us in path.latency_us if basis >= objective.percentile_bp]
        if (told[0] if told else path.latency_us[-1][1]) > objective.below_us:
            yield "latency"
    for option in (problem.option(name) for name in path.options):
        exempt = any(
            isinstance(step, UseVariant)
            and step.model == option.placement.model
            and step.variant == option.placement.variant
            for step in service.degrade
        )
        if service.accuracy and not exempt and option.accuracy_ppm < service.accuracy.floor_ppm:
            yield "accuracy"
        for profile in problem.policy.compliance:
            if set(profile.classes) & set(service.data_classes):
                yield from _objections(problem, profile, demand.origin, option)


def _objections(problem: Problem, profile: ComplianceProfile, origin: str, option: Option) -> Iterator[str]:
    pool = option.placement.pool
    site = next(each.site for each in problem.policy.pools if each.name == pool)
    links = [each for each in problem.policy.links if {each.a, each.b} == {origin, site}]
    if any(not _certified(problem, clause, pool, site) for clause in profile.certifications):
        yield "certification"
    if profile.residency:
        within = set(profile.residency.within)
        ends = [each.jurisdictions for each in problem.policy.sites if each.name in {origin, site}]
        inside = all(within & set(names) for names in ends)
        crossing = origin == site or any(within >= set(each.transit) for each in links)
        if not (inside and crossing):
            yield "residency"
    if profile.link_security and origin != site:
        asked = STRENGTH.index(profile.link_security.encryption.value)
        if not any(STRENGTH.index(each.encryption.value) >= asked for each in links):
            yield "link_security"


def _certified(problem: Problem, clause: CertificationClause, pool: str, site: str) -> bool:
    """Whether in each second something is held in a version from the asked one on; 4 is 4.0.0."""
    asked = [*clause.minimum, 0, 0, 0][:3]
    held = [
        each
        for each in problem.certifications
        if (each.subject_kind, each.subject) in {("pool", pool), ("site", site)}
        and each.standard == clause.standard
        and [*each.version, 0, 0, 0][:3] >= asked
    ]
    seconds = range(problem.now_s, problem.needed_until_s)
    return all(any(each.from_s <= second < each.until_s for each in held) for second in seconds)
