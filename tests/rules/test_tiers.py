"""Whatever a lower tier writes, it allows no plan that the tiers above forbid; and what is refused would loosen."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policy.checks.loosening import loosened
from policy.clauses import (
    CertificationClause,
    ComplianceProfile,
    ForbiddenClause,
    LinkSecurityClause,
    Scope,
    Standard,
    Tcb,
)
from policy.resolve_tiers import profiles
from policy.resolved import Encryption, Fidelity, Policy, Purchase
from policy.tiers import Limits, Organisation, Preferences, Team
from rules.catalogue import RULES
from rules.kernel.evidence import Attested
from rules.kernel.plan import Plan
from rules.kernel.problem import Problem
from tests.rules.build import at, two_sites
from tests.rules.drawn_profiles import HERE, PROFILES
from tests.rules.example import Domain, Example, cases

COMPLIANCE = {"certification", "forbidden_certification", "residency", "link_security", "purchase"}
EXAMPLES: list[Example] = [case.values[1] for case in cases() if case.values[0].id in COMPLIANCE]
DOMAIN = Domain(counts=(1,))
CLAUSES = st.none() | PROFILES
VERSIONS = [
    (*version, *rest) for version in ((0,), (2,), (3,), (4,), (4, 0, 1), (5,)) for rest in ((), (0, 0, 0, 0, 0, 7))
]
CERTIFICATES = list(product(["pci-dss", "iso-27001", "exposed"], VERSIONS))
TCBS = [
    Tcb(),
    Tcb("UpToDate"),
    Tcb("OutOfDate"),
    Tcb(versions=(("snp", 23),)),
    Tcb(versions=(("snp", 24),)),
    Tcb(versions=(("snp", 24), ("tee", 1))),
]
WORDS = ["FR", "EU", "US"]


def _both(one: ComplianceProfile, other: ComplianceProfile) -> ComplianceProfile:
    return replace(
        one,
        certifications=(*one.certifications, *other.certifications),
        forbidden=(*one.forbidden, *other.forbidden),
    )


SEVERAL = PROFILES | st.builds(_both, PROFILES, PROFILES)


def scoped(clauses: ComplianceProfile | None, name: str, scope: Scope) -> ComplianceProfile | None:
    return replace(clauses, name=name, scope=scope) if clauses else None


def with_tiers(
    policy: Policy, top: ComplianceProfile | None, team: ComplianceProfile | None, own: ComplianceProfile | None
) -> Policy:
    """The policy with every service in one team, and these clauses on the three tiers."""
    organisation = Organisation("acme", Preferences(), Limits(), scoped(top, "Organisation acme", Scope()), HERE)
    payments = Team(
        "payments", Preferences(), Limits(), scoped(team, "Team payments", Scope(teams=("payments",))), HERE
    )
    services = tuple(
        replace(each, team="payments", compliance=scoped(own, f"Service {each.name}", Scope(services=(each.name,))))
        for each in policy.services
    )
    whole = replace(policy, services=services, organisation=organisation, teams=(payments,))
    return replace(whole, compliance=(*policy.compliance, *profiles(services, (payments,), organisation)))


def broken(plan: Plan, problem: Problem) -> bool:
    return any(True for rule in RULES for _ in rule.check(plan, problem))


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), top=CLAUSES, team=CLAUSES, own=CLAUSES)
def test_a_lower_tier_allows_no_plan_that_the_tiers_above_it_forbid(
    data: st.DataObject, top: ComplianceProfile | None, team: ComplianceProfile | None, own: ComplianceProfile | None
) -> None:
    example = data.draw(st.sampled_from(EXAMPLES))
    problem = example.problem
    few = len(problem.paths) <= 3
    plans = [example.on_limit, example.over_limit, *(DOMAIN.plans(problem) if few else ())]
    said = [(None, None, None), (top, None, None), (top, team, None), (top, team, own)]
    steps = [replace(problem, policy=with_tiers(problem.policy, *tiers)) for tiers in said]
    for plan in plans:
        refused = [broken(plan, step) for step in steps]
        assert refused == sorted(refused), plan


def alone(lower: ComplianceProfile, upper: ComplianceProfile) -> bool:
    """Whether something would get by if the lower tier's clauses stood instead of those of their kind above them."""
    return any(True for _ in _getting_by(lower, upper))


def _getting_by(lower: ComplianceProfile, upper: ComplianceProfile) -> Iterator[object]:
    """Jurisdictions, protections, encodings, ways to buy and certificates that only the lower tier admits."""
    if lower.residency and upper.residency:
        crossed = [set(words) for n in range(1, 4) for words in combinations(WORDS, n)]
        yield from (w for w in crossed if w <= set(lower.residency.within) and not w <= set(upper.residency.within))
    yield from _on_the_way(lower, upper)
    if lower.purchase and upper.purchase:
        yield from (w for w in Purchase if w in lower.purchase.among and w not in upper.purchase.among)
    for asked_of in upper.certifications:
        names = {standard.name for standard in asked_of.any_of}
        speaking = [c for c in lower.certifications if names & {standard.name for standard in c.any_of}]
        for held in (*combinations(CERTIFICATES, 1), *combinations(CERTIFICATES, 2)) if speaking else ():
            if all(any(c.met_by(*each) for each in held) for c in speaking):
                yield from () if any(asked_of.met_by(*each) for each in held) else (held,)
    yield from _vouched_for(lower, upper)
    for barred in upper.forbidden:
        speaking_of = [c for c in lower.forbidden if c.standard.name == barred.standard.name]
        for each in CERTIFICATES if speaking_of else ():
            if barred.standard.met_by(*each) and not any(c.standard.met_by(*each) for c in speaking_of):
                yield each


def _on_the_way(lower: ComplianceProfile, upper: ComplianceProfile) -> Iterator[object]:
    """Protections of links, and what becomes of payloads there, that only the lower tier admits."""
    if lower.link_security and upper.link_security:
        weakest, asked = lower.link_security.encryption.strength, upper.link_security.encryption.strength
        yield from (each for each in Encryption if weakest <= each.strength < asked)
    if lower.payloads and upper.payloads:
        yield from (
            f for f in Fidelity if lower.payloads.fidelity.strength <= f.strength < upper.payloads.fidelity.strength
        )


def _vouched_for(lower: ComplianceProfile, upper: ComplianceProfile) -> Iterator[object]:
    """Attestation results, and what is said of links and artefacts, that only the lower level admits."""
    if upper.link_evidence and (lower.link_evidence or lower.link_security):
        enough = lower.link_evidence.standards if lower.link_evidence else ("", "tls", "mtls")
        yield from (said for said in enough if said not in upper.link_evidence.standards)
    if lower.attestation and upper.attestation:
        one, other = lower.attestation, upper.attestation
        results = product(
            ("trustee", "veraison", "somebody"),
            ((), ("sev-snp",), ("tdx",), ("sgx",), ("sev-snp", "tdx")),
            ((), ("hardware",), ("executables",), ("hardware", "executables")),
            ((), ("secure-boot",)),
            ("affirming", "warning"),
            ((), *((tcb,) for tcb in TCBS)),
            (None, 0),
        )
        for said, age_s in product(results, (0, 499, 500, 4999, 5000)):
            young = [not each.max_age_s or age_s < each.max_age_s for each in (one, other)]
            result = Attested("pool", "edge", *said[:4], 0, 0, 9999, *said[4:])
            if one.met_by(result) and young[0]:
                yield from () if other.met_by(result) and young[1] else (age_s,)
    if lower.pinned and upper.pinned:
        yield from (digest for digest in lower.pinned.digests if digest not in upper.pinned.digests)
    for asked in upper.provenance:
        speaking = [clause for clause in lower.provenance if clause.standard.name == asked.standard.name]
        for signer, version in product(("releases", "nobody", "somebody"), VERSIONS) if speaking else ():
            said = signer, asked.standard.name, version
            if all(clause.met_by(*said) for clause in speaking) and not asked.met_by(*said):
                yield said


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
@given(upper=SEVERAL, lower=SEVERAL)
def test_a_team_is_refused_exactly_when_something_would_get_by_its_clauses_alone(
    upper: ComplianceProfile, lower: ComplianceProfile
) -> None:
    policy = with_tiers(two_sites().problem.policy, upper, lower, None)
    refused = any(finding.id == "GW0350" for finding in loosened(policy))
    assert refused == alone(lower, upper)


@pytest.mark.parametrize("tiers", [(0, 1), (0, 2), (1, 2)])
def test_a_refusal_names_both_places_whichever_two_tiers_it_is_between(tiers: tuple[int, int]) -> None:
    strict, loose = _links(Encryption.MTLS, 54), _links(Encryption.TLS, 53)
    said: list[ComplianceProfile | None] = [None, None, None]
    said[tiers[0]], said[tiers[1]] = strict, loose
    (finding,) = loosened(with_tiers(two_sites().problem.policy, *said))
    assert finding.place == at(53)
    assert f"at {at(54)}," in finding.message


def _links(encryption: Encryption, line: int) -> ComplianceProfile:
    made = two_sites().profile("links", link_security=LinkSecurityClause(encryption, at(line)))
    return made.problem.policy.compliance[0]


def test_forbidding_one_of_several_standards_leaves_the_others() -> None:
    pci, iso = Standard("pci-dss"), Standard("iso-27001")
    either = two_sites().profile("x", certifications=(CertificationClause((pci, iso), at(60)),))
    barring = two_sites().profile("x", forbidden=(ForbiddenClause(pci, at(61)),))
    asks, bars = (fleet.problem.policy.compliance[0] for fleet in (either, barring))
    assert list(loosened(with_tiers(two_sites().problem.policy, asks, bars, None))) == []
    assert list(loosened(with_tiers(two_sites().problem.policy, bars, asks, None))) == []
    both = replace(bars, forbidden=(*bars.forbidden, ForbiddenClause(iso, at(62))))
    one = replace(asks, certifications=(CertificationClause((pci,), at(60)),))
    for upper, lower in ((one, both), (both, one)):
        (finding,) = loosened(with_tiers(two_sites().problem.policy, upper, lower, None))
        assert (finding.id, finding.place) == ("GW0352", at(61) if lower is both else at(60))
