"""From valid documents to one policy: references followed, defaults filled in, contradictions found."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeVar

from policy.catalogue import error
from policy.documents.base import Spec
from policy.documents.compliance_profile import ComplianceProfileSpec
from policy.documents.cost_policy import CostPolicySpec
from policy.documents.device_profile import DeviceProfileSpec
from policy.documents.issuer import IssuerSpec
from policy.documents.link import LinkSpec
from policy.documents.model import ModelSpec
from policy.documents.pool import PoolSpec
from policy.documents.scaling_policy import ScalingPolicySpec
from policy.documents.service import ServiceSpec
from policy.documents.site import SiteSpec
from policy.findings import Finding, Place
from policy.resolve_service import service
from policy.resolved import (
    Ceiling,
    CertificationClause,
    ComplianceProfile,
    CostPolicy,
    DeviceProfile,
    Encryption,
    Issuer,
    IssuerKey,
    Link,
    LinkSecurityClause,
    Model,
    Policy,
    Pool,
    Purchase,
    ReplicaBound,
    ResidencyClause,
    ScalingPolicy,
    Site,
    Variant,
    VariantProfile,
)
from policy.validate import Valid

NOWHERE: Final = Place("defaults", 1, 1)

SpecType = TypeVar("SpecType", bound=Spec)
Found = TypeVar("Found")


def resolve(documents: Sequence[Valid], texts: tuple[tuple[str, str], ...]) -> tuple[Policy, list[Finding]]:
    """The policy that the documents make, and what cannot be in them side by side."""
    findings = [*_twice(documents), *_only_one(documents)]
    policy = Policy(
        revision=revision(texts),
        services=_each(documents, ServiceSpec, service),
        models=_each(documents, ModelSpec, _model),
        sites=_each(documents, SiteSpec, lambda v, s: Site(v.name, tuple(s.jurisdictions), v.place())),
        pools=_each(documents, PoolSpec, _pool),
        links=_each(documents, LinkSpec, _link),
        devices=_each(documents, DeviceProfileSpec, _device),
        compliance=_each(documents, ComplianceProfileSpec, _compliance),
        cost=next(iter(_each(documents, CostPolicySpec, _cost)), _default_cost()),
        scaling=next(iter(_each(documents, ScalingPolicySpec, _scaling)), _default_scaling()),
        documents=texts,
        issuers=_each(documents, IssuerSpec, _issuer),
    )
    return policy, findings


def revision(texts: Iterable[tuple[str, str]]) -> str:
    """The digest of names and contents."""
    digest = hashlib.sha256()
    for name, text in texts:
        for part in (name, text):
            data = part.encode(errors="surrogatepass")
            digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()


def _each(
    documents: Sequence[Valid], kind: type[SpecType], read: Callable[[Valid, SpecType], Found]
) -> tuple[Found, ...]:
    """Every document of a kind, read, by name."""
    listed = sorted(documents, key=lambda valid: valid.name)
    return tuple(read(valid, valid.spec) for valid in listed if isinstance(valid.spec, kind))


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
    asked = spec.certifications.all_of if spec.certifications else ()
    certifications = (
        CertificationClause(item.standard, item.version, valid.place("certifications", "allOf", index))
        for index, item in enumerate(asked)
    )
    within, links = spec.jurisdiction, spec.links
    return ComplianceProfile(
        name=valid.name,
        classes=tuple(spec.applies_to.data.classes),
        subjects=tuple(spec.applies_to.data.subjects),
        certifications=tuple(certifications),
        residency=ResidencyClause(tuple(within.within), valid.place("jurisdiction", "within")) if within else None,
        link_security=LinkSecurityClause(Encryption(links.encryption), valid.place("links")) if links else None,
        place=valid.place(),
    )


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
    )


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
