"""From valid documents to one policy: references followed, defaults filled in, contradictions found."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from policy.catalogue import error
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
    ProvenanceClause,
    PurchaseClause,
    ResidencyClause,
    Scope,
    Standard,
    VersionBound,
)
from policy.documents.base import Spec
from policy.documents.compliance_profile import (
    AttestationSpec,
    CertificationSpec,
    CertificationsSpec,
    ComplianceProfileSpec,
    LinksSpec,
    ModelsSpec,
)
from policy.documents.cost_policy import CostPolicySpec
from policy.documents.device_profile import DeviceProfileSpec
from policy.documents.issuer import IssuerSpec, X509Spec
from policy.documents.link import LinkSpec
from policy.documents.model import ModelSpec
from policy.documents.pool import PoolSpec
from policy.documents.scaling_policy import ScalingPolicySpec
from policy.documents.service import ServiceSpec
from policy.documents.site import SiteSpec
from policy.findings import Finding, Place
from policy.resolve_service import service
from policy.resolved import (
    Authority,
    Ceiling,
    CostPolicy,
    DeviceProfile,
    Encryption,
    Issuer,
    IssuerKey,
    Link,
    Model,
    Policy,
    Pool,
    Purchase,
    ReplicaBound,
    Revoked,
    ScalingPolicy,
    Service,
    Site,
    Variant,
    VariantProfile,
)
from policy.validate import Valid

NOWHERE: Final = Place("defaults", 1, 1)

Item = Service | Model | Site | Pool | Link | DeviceProfile | ComplianceProfile | Issuer | CostPolicy | ScalingPolicy
"""What a document declares."""


def item(valid: Valid) -> Item:
    """What the document declares; it depends on no other document."""
    return _READERS[type(valid.spec)](valid, valid.spec)


def resolve(declared: Sequence[tuple[Valid, Item]], texts: tuple[tuple[str, str], ...]) -> tuple[Policy, list[Finding]]:
    """The policy that the documents make, each with its item, and what cannot be in them side by side."""
    documents = [valid for valid, _ in declared]
    items: defaultdict[type[Item], list[Any]] = defaultdict(list)
    for _, each in sorted(declared, key=lambda pair: pair[0].name):
        items[type(each)].append(each)
    policy = Policy(
        revision=revision(texts),
        services=tuple(items[Service]),
        models=tuple(items[Model]),
        sites=tuple(items[Site]),
        pools=tuple(items[Pool]),
        links=tuple(items[Link]),
        devices=tuple(items[DeviceProfile]),
        compliance=tuple(items[ComplianceProfile]),
        cost=next(iter(items[CostPolicy]), _default_cost()),
        scaling=next(iter(items[ScalingPolicy]), _default_scaling()),
        documents=texts,
        issuers=tuple(_with_digests(issuer, items[Model]) for issuer in items[Issuer]),
    )
    return policy, [*_twice(documents), *_only_one(documents)]


def _with_digests(issuer: Issuer, models: Sequence[Model]) -> Issuer:
    """The issuer with the artefacts of the models that it may speak of."""
    named = (model for model in models if model.name in issuer.models)
    return replace(issuer, digests=tuple(variant.digest for model in named for variant in model.variants))


def revision(texts: Iterable[tuple[str, str]]) -> str:
    """The digest of names and contents."""
    encoded = (part.encode(errors="surrogatepass") for pair in texts for part in pair)
    return hashlib.sha256(b"".join(len(data).to_bytes(8, "big") + data for data in encoded)).hexdigest()


def _twice(documents: Sequence[Valid]) -> list[Finding]:
    first: dict[tuple[str, str], Valid] = {}
    findings = []
    for valid in documents:
        before = first.setdefault((valid.kind, valid.name), valid)
        if before is not valid:
            message = f"there is a {valid.kind} named `{valid.name}` already, at {before.place()}"
            findings.append(error("GW0301", valid.place(), message, "rename one of the two"))
    return findings


def _only_one(documents: Sequence[Valid]) -> list[Finding]:
    findings = []
    for kind in ("CostPolicy", "ScalingPolicy"):
        found = [valid for valid in documents if valid.kind == kind]
        for valid in found[1:]:
            message = f"there is another {kind} at {found[0].place()}, and a fleet has one"
            findings.append(error("GW0308", valid.place(), message, "put everything into one of them"))
    return findings


def _site(valid: Valid, spec: SiteSpec) -> Site:
    return Site(valid.name, tuple(spec.jurisdictions), valid.place())


def _model(valid: Valid, spec: ModelSpec) -> Model:
    return Model(
        valid.name,
        tuple(
            Variant(v.name, v.digest, v.precision, v.memory, v.accuracy, valid.place("variants", i))
            for i, v in enumerate(spec.variants)
        ),
        valid.place(),
    )


def _pool(valid: Valid, spec: PoolSpec) -> Pool:
    return Pool(
        name=valid.name,
        site=spec.site,
        device=spec.device,
        nodes=spec.nodes,
        memory_mib=spec.memory,
        share_permille=spec.share,
        price_millicents_per_hour=spec.price,
        purchase=Purchase(spec.purchase),
        place=valid.place(),
    )


def _link(valid: Valid, spec: LinkSpec) -> Link:
    a, b = spec.between
    return Link(
        a,
        b,
        spec.rtt,
        spec.jitter,
        spec.bandwidth,
        Encryption(spec.encryption),
        tuple(spec.transit),
        valid.place(),
        valid.name,
    )


def _device(valid: Valid, spec: DeviceProfileSpec) -> DeviceProfile:
    profiles = (
        VariantProfile(
            model=item.model,
            variant=item.variant,
            service_us=tuple(sorted((point.batch, point.time) for point in item.service_time)),
            share_permille=item.share,
            load_us=item.load,
            place=valid.place("variants", index),
        )
        for index, item in enumerate(spec.variants)
    )
    return DeviceProfile(valid.name, tuple(profiles), valid.place())


def _compliance(valid: Valid, spec: ComplianceProfileSpec) -> ComplianceProfile:
    scope, within, links, bought = spec.applies_to, spec.jurisdiction, spec.links, spec.purchase
    return ComplianceProfile(
        name=valid.name,
        scope=Scope(
            tuple(scope.data.classes),
            tuple(scope.data.subjects),
            tuple(scope.services),
            tuple(sorted(scope.labels.items())),
            tuple(scope.stages),
        ),
        certifications=_certifications(valid, spec.certifications) if spec.certifications else (),
        forbidden=_forbidden(valid, spec.certifications) if spec.certifications else (),
        residency=ResidencyClause(tuple(within.within), valid.place("jurisdiction", "within")) if within else None,
        link_security=LinkSecurityClause(Encryption(links.encryption), valid.place("links")) if links else None,
        purchase=PurchaseClause(tuple(map(Purchase, bought.among)), valid.place("purchase")) if bought else None,
        place=valid.place(),
        attestation=_attestation(valid, spec.attestation) if spec.attestation else None,
        provenance=_provenance(valid, spec.models) if spec.models else (),
        link_evidence=_link_evidence(valid, links) if links and links.evidence else None,
    )


def _link_evidence(valid: Valid, spec: LinksSpec) -> LinkEvidenceClause:
    enough = (each for each in Encryption if each.strength >= Encryption(spec.encryption).strength)
    return LinkEvidenceClause(tuple(each.value for each in enough), valid.place("links", "evidence"))


def _provenance(valid: Valid, spec: ModelsSpec) -> tuple[ProvenanceClause, ...]:
    built, found = spec.provenance, []
    if built:
        standard = Standard(SLSA, _bounds(built.slsa))
        found.append(ProvenanceClause(standard, tuple(built.verifiers), valid.place("models", "provenance")))
    if spec.signed_by:
        standard = Standard(MODEL_SIGNATURE)
        found.append(ProvenanceClause(standard, tuple(spec.signed_by), valid.place("models", "signedBy")))
    return tuple(found)


def _attestation(valid: Valid, spec: AttestationSpec) -> AttestationClause:
    return AttestationClause(
        tees=tuple(spec.tee),
        claims=tuple(spec.claims),
        devices=tuple(spec.devices),
        verifiers=tuple(spec.verifiers),
        max_age_s=spec.max_age or 0,
        place=valid.place("attestation"),
    )


def _certifications(valid: Valid, spec: CertificationsSpec) -> tuple[CertificationClause, ...]:
    all_of = [
        CertificationClause((_standard(item),), valid.place("certifications", "allOf", index))
        for index, item in enumerate(spec.all_of)
    ]
    if not spec.any_of:
        return tuple(all_of)
    any_of = tuple(_standard(item) for item in spec.any_of)
    return (*all_of, CertificationClause(any_of, valid.place("certifications", "anyOf")))


def _forbidden(valid: Valid, spec: CertificationsSpec) -> tuple[ForbiddenClause, ...]:
    return tuple(
        ForbiddenClause(_standard(item), valid.place("certifications", "noneOf", index))
        for index, item in enumerate(spec.none_of)
    )


def _standard(spec: CertificationSpec) -> Standard:
    return Standard(spec.standard, _bounds(spec.version))


def _bounds(compared: Iterable[tuple[str, tuple[int, ...]]]) -> tuple[VersionBound, ...]:
    return tuple(VersionBound(Comparison(comparison), version) for comparison, version in compared)


def _issuer(valid: Valid, spec: IssuerSpec) -> Issuer:
    keys = (
        IssuerKey(key.kid or "", tuple(key.model_dump(exclude_none=True).items()), valid.place("keys", index))
        for index, key in enumerate(spec.keys)
    )
    return Issuer(
        name=valid.name,
        iss=spec.iss or valid.name,
        algorithms=tuple(spec.algorithms),
        keys=tuple(keys),
        standards=tuple(spec.claims.standards),
        sites=tuple(spec.claims.sites),
        pools=tuple(spec.claims.pools),
        audience=spec.audience or "",
        max_age_s=spec.max_age or 0,
        place=valid.place(),
        models=tuple(spec.claims.models),
        revoked=tuple(
            Revoked(kind, name, valid.place("revoked", index))
            for index, each in enumerate(spec.revoked)
            for kind, name in each.model_dump(exclude_none=True).items()
        ),
        authority=_authority(valid, spec.x509) if spec.x509 else None,
        links=tuple(spec.claims.links),
    )


def _authority(valid: Valid, spec: X509Spec) -> Authority:
    return Authority(spec.trust_domain, tuple(spec.roots), spec.crl, valid.place("x509"))


def _cost(valid: Valid, spec: CostPolicySpec) -> CostPolicy:
    ceilings = (Ceiling(c.site or "", c.below, valid.place("ceilings", i)) for i, c in enumerate(spec.ceilings))
    return CostPolicy(valid.name, tuple(ceilings), spec.start, valid.place())


def _default_cost() -> CostPolicy:
    spec = CostPolicySpec()
    return CostPolicy("default", (), spec.start, NOWHERE)


def _scaling(valid: Valid, spec: ScalingPolicySpec) -> ScalingPolicy:
    bounds = (
        ReplicaBound(bound.model, bound.site or "", bound.min, bound.max, valid.place("bounds", index))
        for index, bound in enumerate(spec.bounds)
    )
    return _paced(valid.name, spec, tuple(bounds), valid.place())


def _default_scaling() -> ScalingPolicy:
    return _paced("default", ScalingPolicySpec(), (), NOWHERE)


def _paced(name: str, spec: ScalingPolicySpec, bounds: tuple[ReplicaBound, ...], place: Place) -> ScalingPolicy:
    return ScalingPolicy(
        name=name,
        interval_s=spec.interval,
        headroom_permille=spec.headroom,
        cooldown_s=spec.scale_down.cooldown,
        step_share_permille=spec.scale_down.step_share,
        stale_after_s=spec.stale_after,
        evidence_lead_s=spec.evidence_lead,
        bounds=bounds,
        place=place,
    )


_READERS: Final[Mapping[type[Spec], Callable[[Valid, Any], Item]]] = MappingProxyType(
    {
        ServiceSpec: service,
        ModelSpec: _model,
        SiteSpec: _site,
        PoolSpec: _pool,
        LinkSpec: _link,
        DeviceProfileSpec: _device,
        ComplianceProfileSpec: _compliance,
        IssuerSpec: _issuer,
        CostPolicySpec: _cost,
        ScalingPolicySpec: _scaling,
    }
)
