"""Clauses of compliance, wherever a document states them; each keeps its place."""

from collections.abc import Iterable

from policy.clauses import (
    MODEL_SIGNATURE,
    SLSA,
    AttestationClause,
    CertificationClause,
    Comparison,
    ComplianceProfile,
    ForbiddenClause,
    LinkEvidenceClause,
    LinkSecurityClause,
    LocalityClause,
    PayloadClause,
    PinnedClause,
    ProvenanceClause,
    PurchaseClause,
    ResidencyClause,
    Scope,
    SeparationClause,
    Standard,
    StorageClause,
    TcbClause,
    VersionBound,
)
from policy.documents.compliance_profile import (
    AttestationSpec,
    CertificationSpec,
    CertificationsSpec,
    ClausesSpec,
    ComplianceProfileSpec,
    LinksSpec,
    ModelsSpec,
    PayloadsSpec,
    TcbSpec,
)
from policy.documents.selector import ServicesSpec
from policy.resolved import Encryption, Fidelity, Purchase
from policy.validate import Valid


def profile(valid: Valid, spec: ComplianceProfileSpec) -> ComplianceProfile:
    """The profile of a document of that kind."""
    return _clauses(valid, spec, valid.name, services(spec.applies_to, tuple(spec.applies_to.stages)))


def services(spec: ServicesSpec, stages: tuple[str, ...] = ()) -> Scope:
    """The services that a selector means, or these stages of them."""
    return Scope(
        tuple(spec.data.classes),
        tuple(spec.data.subjects),
        tuple(spec.services),
        tuple(sorted(spec.labels.items())),
        stages,
        tuple(spec.teams),
    )


def own(valid: Valid, spec: ClausesSpec | None, scope: Scope) -> ComplianceProfile | None:
    """What a document of another kind asks for under `compliance`; its name is no document's, for it has a space."""
    return _clauses(valid, spec, f"{valid.kind} {valid.name}", scope, "compliance") if spec else None


def _clauses(valid: Valid, spec: ClausesSpec, name: str, scope: Scope, *path: str) -> ComplianceProfile:
    within, links, bought, apart = spec.jurisdiction, spec.links, spec.purchase, spec.separation
    return ComplianceProfile(
        name=name,
        scope=scope,
        certifications=_certifications(valid, spec.certifications, *path) if spec.certifications else (),
        forbidden=_forbidden(valid, spec.certifications, *path) if spec.certifications else (),
        residency=ResidencyClause(tuple(within.within), valid.place(*path, "jurisdiction", "within"))
        if within
        else None,
        link_security=LinkSecurityClause(Encryption(links.encryption), valid.place(*path, "links")) if links else None,
        purchase=PurchaseClause(tuple(map(Purchase, bought.among)), valid.place(*path, "purchase")) if bought else None,
        place=valid.place(),
        attestation=_attestation(valid, spec.attestation, *path) if spec.attestation else None,
        provenance=_provenance(valid, spec.models, *path) if spec.models else (),
        link_evidence=_link_evidence(valid, links, *path) if links and links.evidence else None,
        locality=LocalityClause(valid.place(*path, "locality")) if spec.locality else None,
        separation=SeparationClause(services(apart.from_), valid.place(*path, "separation")) if apart else None,
        audited_s=spec.audit.keep if spec.audit else 0,
        storage=StorageClause(valid.place(*path, "storage")) if spec.storage else None,
        pinned=_pinned(valid, spec.models, *path) if spec.models and spec.models.digests else None,
        payloads=_payloads(valid, spec.payloads, *path) if spec.payloads else None,
    )


def _payloads(valid: Valid, spec: PayloadsSpec, *path: str) -> PayloadClause:
    return PayloadClause(Fidelity(spec.fidelity), valid.place(*path, "payloads"))


def _link_evidence(valid: Valid, spec: LinksSpec, *path: str) -> LinkEvidenceClause:
    enough = (each for each in Encryption if each.strength >= Encryption(spec.encryption).strength)
    return LinkEvidenceClause(tuple(each.value for each in enough), valid.place(*path, "links", "evidence"))


def _provenance(valid: Valid, spec: ModelsSpec, *path: str) -> tuple[ProvenanceClause, ...]:
    built, found = spec.provenance, []
    if built:
        standard, place = Standard(SLSA, _bounds(built.slsa)), valid.place(*path, "models", "provenance")
        found.append(ProvenanceClause(standard, tuple(built.verifiers), place))
    if spec.signed_by:
        place = valid.place(*path, "models", "signedBy")
        found.append(ProvenanceClause(Standard(MODEL_SIGNATURE), tuple(spec.signed_by), place))
    return tuple(found)


def _pinned(valid: Valid, spec: ModelsSpec, *path: str) -> PinnedClause:
    return PinnedClause(tuple(spec.digests), valid.place(*path, "models", "digests"))


def _attestation(valid: Valid, spec: AttestationSpec, *path: str) -> AttestationClause:
    return AttestationClause(
        tees=tuple(spec.tee),
        claims=tuple(spec.claims),
        devices=tuple(spec.devices),
        verifiers=tuple(spec.verifiers),
        max_age_s=spec.max_age or 0,
        place=valid.place(*path, "attestation"),
        min_tier=spec.min_tier,
        tcb=_tcb(spec.tcb) if spec.tcb else None,
        nonce=spec.nonce,
    )


def _tcb(spec: TcbSpec) -> TcbClause:
    return TcbClause(tuple(spec.status), tuple(spec.at_least.model_dump(exclude_none=True).items()))


def _certifications(valid: Valid, spec: CertificationsSpec, *path: str) -> tuple[CertificationClause, ...]:
    all_of = [
        CertificationClause((_standard(item),), valid.place(*path, "certifications", "allOf", index))
        for index, item in enumerate(spec.all_of)
    ]
    if not spec.any_of:
        return tuple(all_of)
    any_of = tuple(_standard(item) for item in spec.any_of)
    return (*all_of, CertificationClause(any_of, valid.place(*path, "certifications", "anyOf")))


def _forbidden(valid: Valid, spec: CertificationsSpec, *path: str) -> tuple[ForbiddenClause, ...]:
    return tuple(
        ForbiddenClause(_standard(item), valid.place(*path, "certifications", "noneOf", index))
        for index, item in enumerate(spec.none_of)
    )


def _standard(spec: CertificationSpec) -> Standard:
    return Standard(spec.standard, _bounds(spec.version))


def _bounds(compared: Iterable[tuple[str, tuple[int, ...]]]) -> tuple[VersionBound, ...]:
    return tuple(VersionBound(Comparison(comparison), version) for comparison, version in compared)
