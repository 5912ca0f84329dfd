"""From valid documents to one policy: references followed, defaults filled in, contradictions found."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from policy.catalogue import error
from policy.clauses import ComplianceProfile
from policy.composition import Environment, Include, Variables
from policy.documents.base import Spec
from policy.documents.compliance_profile import ComplianceProfileSpec
from policy.documents.cost_policy import CostPolicySpec
from policy.documents.device_profile import DeviceProfileSpec
from policy.documents.environment import EnvironmentSpec
from policy.documents.include import IncludeSpec
from policy.documents.issuer import IssuerSpec, X509Spec
from policy.documents.link import LinkSpec
from policy.documents.maintenance import MaintenanceSpec, WindowSpec
from policy.documents.model import ModelSpec
from policy.documents.organisation import OrganisationSpec
from policy.documents.policy_test import PolicyTestSpec
from policy.documents.pool import PoolSpec
from policy.documents.scaling_policy import ScalingPolicySpec
from policy.documents.service import ServiceSpec
from policy.documents.site import SiteSpec
from policy.documents.team import TeamSpec
from policy.documents.variables import VariablesSpec
from policy.findings import Finding, Place
from policy.resolve_clauses import profile, services
from policy.resolve_composition import environment, include, variables
from policy.resolve_service import preferences, service
from policy.resolve_testing import policy_test
from policy.resolve_tiers import inherited, organisation, profiles, team, tiers_above
from policy.resolved import (
    Authority,
    Ceiling,
    CostPolicy,
    DeviceProfile,
    Encryption,
    Issuer,
    IssuerKey,
    Link,
    Maintenance,
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
from policy.testing import PolicyTest
from policy.tiers import Organisation, Team
from policy.validate import Valid
from policy.windows import Window

NOWHERE: Final = Place("defaults", 1, 1)

Item = (
    Service
    | Model
    | Site
    | Pool
    | Link
    | DeviceProfile
    | ComplianceProfile
    | Issuer
    | CostPolicy
    | ScalingPolicy
    | Maintenance
    | Include
    | Variables
    | Environment
    | Organisation
    | Team
    | PolicyTest
)
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
    top, teams = next(iter(items[Organisation]), None), tuple(items[Team])
    serving = _services(declared, teams, top)
    policy = Policy(
        revision=revision(texts),
        services=serving,
        models=tuple(items[Model]),
        sites=tuple(items[Site]),
        pools=tuple(items[Pool]),
        links=tuple(items[Link]),
        devices=tuple(items[DeviceProfile]),
        compliance=(*items[ComplianceProfile], *profiles(serving, teams, top)),
        cost=next(iter(items[CostPolicy]), _default_cost()),
        scaling=next(iter(items[ScalingPolicy]), _default_scaling()),
        documents=texts,
        issuers=tuple(_with_digests(issuer, items[Model]) for issuer in items[Issuer]),
        maintenance=tuple(items[Maintenance]),
        organisation=top,
        teams=teams,
    )
    return policy, [*twice(documents), *_only_one(documents)]


def _services(
    declared: Sequence[tuple[Valid, Item]], teams: Sequence[Team], top: Organisation | None
) -> tuple[Service, ...]:
    """The services by name, with what they leave to their team and the organisation."""
    models = {each.name: each for _, each in declared if isinstance(each, Model)}
    by_name = {each.name: each for each in teams}
    found = [
        inherited(each, preferences(valid, valid.spec), tiers_above(each, by_name, top), models)
        for valid, each in declared
        if isinstance(each, Service) and isinstance(valid.spec, ServiceSpec)
    ]
    return tuple(sorted(found, key=lambda each: each.name))


def _with_digests(issuer: Issuer, models: Sequence[Model]) -> Issuer:
    """The issuer with the artefacts of the models that it may speak of."""
    named = (model for model in models if model.name in issuer.models)
    return replace(issuer, digests=tuple(variant.digest for model in named for variant in model.variants))


def revision(texts: Iterable[tuple[str, str]]) -> str:
    """The digest of names and contents."""
    encoded = (part.encode(errors="surrogatepass") for pair in texts for part in pair)
    return hashlib.sha256(b"".join(len(data).to_bytes(8, "big") + data for data in encoded)).hexdigest()


def twice(documents: Sequence[Valid]) -> list[Finding]:
    """Documents of one kind and name, the second one's place."""
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
    for kind in ("CostPolicy", "ScalingPolicy", "Organisation", "Environment"):
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
        dedicated_to=services(spec.dedicated_to) if spec.dedicated_to else None,
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
        freezes=tuple(map(_window, spec.freezes)),
    )


def _maintenance(valid: Valid, spec: MaintenanceSpec) -> Maintenance:
    return Maintenance(valid.name, tuple(spec.sites), tuple(spec.pools), _window(spec), valid.place())


def _window(spec: WindowSpec) -> Window:
    """In whole seconds: it begins early and ends late where a second is split."""
    return Window(int(spec.from_.timestamp() // 1), -int(-spec.until.timestamp() // 1), spec.every or 0)


_READERS: Final[Mapping[type[Spec], Callable[[Valid, Any], Item]]] = MappingProxyType(
    {
        ServiceSpec: service,
        ModelSpec: _model,
        SiteSpec: _site,
        PoolSpec: _pool,
        LinkSpec: _link,
        DeviceProfileSpec: _device,
        ComplianceProfileSpec: profile,
        IssuerSpec: _issuer,
        CostPolicySpec: _cost,
        ScalingPolicySpec: _scaling,
        MaintenanceSpec: _maintenance,
        IncludeSpec: include,
        VariablesSpec: variables,
        EnvironmentSpec: environment,
        OrganisationSpec: organisation,
        TeamSpec: team,
        PolicyTestSpec: policy_test,
    }
)
