"""What ends when, and what that takes away: told by hand for small policies."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from collectors.evidence.records import ARTEFACT, FOREVER, UNDATED, Attestation, Evidence
from controller.lapses import Lapse, outlook
from policy.clauses import (
    AttestationClause,
    CertificationClause,
    ForbiddenClause,
    LinkEvidenceClause,
    ProvenanceClause,
    Standard,
)
from policy.resolved import Issuer, Maintenance, Policy
from policy.windows import Window
from rules.kernel.problem import Placement
from tests.planning.world import CALL_VAD, FRANKFURT, LYON, OCR, PARIS, POLICY, START, VAD, line

DAY = timedelta(days=1)
LEAD = timedelta(seconds=POLICY.scaling.evidence_lead_s)


def held(site: str, days: float, standard: str = "pci", begins: float = -1, **more: object) -> Evidence:
    end = START + days * DAY
    return Evidence(
        f"{standard}-{site}", "site", site, standard, (4,), "qsa", START + begins * DAY, end, line(1), **more
    )  # type: ignore[arg-type]


def asking(**clauses: Any) -> Policy:
    """A policy in which only the service of one stage is protected, by these clauses."""
    profile = replace(
        POLICY.compliance[0],
        scope=replace(POLICY.compliance[0].scope, classes=("voice",)),
        **({"certifications": (), "residency": None, "link_security": None} | clauses),
    )
    return replace(POLICY, services=(CALL_VAD,), compliance=(profile,))


CERTIFIED = asking(certifications=(CertificationClause((Standard("pci"),), line(40)),))


def pools(placements: tuple[Placement, ...]) -> set[str]:
    return {each.pool for each in placements}


def told(lapses: tuple[Lapse, ...]) -> list[tuple[float, set[str], set[str]]]:
    """Days from now, and the pools that go and stay."""
    return [((each.at - START) / DAY, pools(each.gone), pools(each.left)) for each in lapses]


def test_each_site_goes_as_its_evidence_ends_until_nothing_is_left() -> None:
    found = outlook(CERTIFIED, (held(PARIS, 3), held(LYON, 5), held(FRANKFURT, 40)), START)
    assert [(each.subject, (each.at - START) / DAY) for each in found.endings] == [
        (PARIS, 3),
        (LYON, 5),
        (FRANKFURT, 40),
    ]
    assert {(each.services, each.clauses) for each in found.endings} == {((VAD,), (line(40),))}
    assert told(found.lapses) == [
        (3, {PARIS}, {LYON, FRANKFURT}),
        (5, {LYON}, {FRANKFURT}),
        (40, {FRANKFURT}, set()),
    ]
    first = found.lapses[0]
    assert (first.service, first.stage, first.origins) == (VAD, "listen", (PARIS, LYON))
    assert first.leaves_at == first.at - LEAD
    assert found.findings == ()


def test_where_nothing_will_be_left_within_the_notice_it_is_warned_of() -> None:
    (finding,) = outlook(CERTIFIED, (held(PARIS, 30),), START).findings
    assert (finding.id, finding.place) == ("GW0440", CALL_VAD.place)
    until = (START + 30 * DAY).isoformat()
    what = f"stage listen of `{VAD}`, requests of {PARIS}, {LYON},"
    assert finding.message == f"nothing may serve {what} from {until} on"
    assert outlook(CERTIFIED, (held(PARIS, 30 + 1 / 86_400),), START).findings == ()


def test_a_renewal_carries_on() -> None:
    renewed = replace(held(PARIS, 9, begins=2.5), id="renewed")
    assert told(outlook(CERTIFIED, (held(PARIS, 3), renewed), START).lapses) == [(9, {PARIS}, set())]


def test_what_has_ended_or_never_ends_is_not_told_of() -> None:
    assert outlook(CERTIFIED, (held(PARIS, -0.5), held(LYON, 0)), START).endings == ()
    forever = replace(held(PARIS, 1), issued_at=UNDATED, expires_at=FOREVER)
    found = outlook(CERTIFIED, (forever,), START)
    assert (found.endings, found.lapses) == ((), ())


def test_evidence_against_a_site_takes_it_as_it_begins() -> None:
    policy = asking(forbidden=(ForbiddenClause(Standard("shared"), line(41)),))
    found = outlook(policy, (held(PARIS, 9, "shared", begins=2),), START)
    assert told(found.lapses) == [(2, {PARIS}, {LYON, FRANKFURT})]
    assert found.endings[0].clauses == (line(41),)


def test_an_attestation_result_ends_at_the_age_that_its_clause_allows() -> None:
    clause = AttestationClause(("tdx",), (), (), (), 2 * 86_400, line(42))
    said = Attestation("trustee", ("tdx",), (), (), START - DAY)
    other = replace(said, tees=("sgx",))
    evidence = (held(PARIS, 9, "attestation", attestation=said), held(LYON, 9, "attestation", attestation=other))
    found = outlook(asking(attestation=clause), evidence, START)
    assert [((each.at - START) / DAY, each.services) for each in found.endings] == [(1, (VAD,)), (9, ())]
    assert told(found.lapses) == [(1, {PARIS}, set())]


def test_a_variant_goes_as_nobody_vouches_for_it_any_more() -> None:
    (vad,) = (model for model in POLICY.models if model.name == "vad")
    full, half = vad.variants
    issuer = Issuer("releases", "qsa", (), (), ("slsa",), (), (), "", 0, line(1))
    clause = ProvenanceClause(Standard("slsa"), ("releases",), line(43))
    policy = replace(asking(provenance=(clause,)), issuers=(issuer,))
    evidence = tuple(
        replace(held(variant.name, days, "slsa"), subject_kind=ARTEFACT, subject=variant.digest)
        for variant, days in ((full, 3), (half, 7))
    )
    found = outlook(policy, evidence, START)
    assert full.digest != half.digest
    assert [({p.variant for p in each.gone}, {p.variant for p in each.left}) for each in found.lapses] == [
        ({"fp32"}, {"half"}),
        ({"half"}, set()),
    ]
    assert {each.clauses for each in found.endings} == {(line(43),)}


def test_services_that_are_not_protected_lose_nothing() -> None:
    policy = replace(CERTIFIED, services=POLICY.services)
    assert {each.service for each in outlook(policy, (held(PARIS, 3),), START).lapses} == {VAD}
    assert OCR in {each.name for each in policy.services}


def test_a_link_goes_as_nobody_vouches_for_it_any_more() -> None:
    link = POLICY.link(PARIS, FRANKFURT)
    assert link is not None
    named = replace(link, name="paris-frankfurt")
    policy = replace(asking(link_evidence=LinkEvidenceClause(("mtls",), line(44))), links=(named,))
    evidence = (replace(held("x", 3, "mtls"), subject_kind="link", subject="paris-frankfurt"),)
    found = outlook(policy, evidence, START)
    assert [(each.subject, each.clauses, each.services) for each in found.endings] == [
        ("paris-frankfurt", (line(44),), (VAD,))
    ]
    assert {
        (each.origins, tuple(sorted(pools(each.gone))), tuple(sorted(pools(each.left)))) for each in found.lapses
    } == {((PARIS,), (FRANKFURT,), (PARIS,))}


def test_maintenance_is_no_lapse() -> None:
    start_s = int((START + 3 * DAY).timestamp())
    work = Maintenance("disks", (), (PARIS, LYON, FRANKFURT), Window(start_s - 3600, start_s + 3600), line(70))
    evidence = (held(PARIS, 3), held(LYON, 50), held(FRANKFURT, 50))
    busy = outlook(replace(CERTIFIED, maintenance=(work,)), evidence, START)
    assert busy == outlook(CERTIFIED, evidence, START)
    assert told(busy.lapses)[0][1] == {PARIS}
