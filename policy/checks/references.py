"""Every name in a document that stands for something must lead to it."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from policy.catalogue import error
from policy.documents.compliance_profile import ClausesSpec, ComplianceProfileSpec
from policy.documents.cost_policy import CostPolicySpec
from policy.documents.device_profile import DeviceProfileSpec
from policy.documents.issuer import IssuerSpec
from policy.documents.link import LinkSpec
from policy.documents.maintenance import MaintenanceSpec
from policy.documents.model import ModelSpec
from policy.documents.pool import PoolSpec
from policy.documents.scaling_policy import ScalingPolicySpec
from policy.documents.selector import ServicesSpec
from policy.documents.service import DegradeSpec, ServiceSpec
from policy.documents.tier import TierSpec
from policy.findings import Finding, Place
from policy.validate import Valid
from policy.words import shown, suggestion


@dataclass(frozen=True, slots=True)
class Unread:
    """What the files declare and could not be read: (kind, name) of broken documents, and whether there may be more.

    A reference to any of it may be right, so nothing is said of it.
    """

    documents: frozenset[tuple[str, str]] = frozenset()
    more: bool = False

    def __bool__(self) -> bool:
        return bool(self.documents) or self.more

    def may_hold(self, kind: str, name: str) -> bool:
        """Whether the document may be among what could not be read."""
        return self.more or (kind, name) in self.documents


@dataclass(frozen=True, slots=True)
class Reference:
    """A name at its place, and what it should lead to: a kind, or with `model` a variant of that model.

    None of the names `beside` it is meant a second time.
    """

    kind: str
    name: str
    place: Place
    model: str = ""
    beside: tuple[str, ...] = ()


def references(valid: Valid) -> tuple[Reference, ...]:
    """What the document refers to."""
    reader = _READERS.get(valid.kind)
    return tuple(reader(valid, valid.spec)) if reader else ()


def nowhere(documents: Sequence[Valid], referred: Iterable[Reference], unread: Unread) -> list[Finding]:
    """References that lead nowhere."""
    known: defaultdict[str, set[str]] = defaultdict(set)
    for valid in documents:
        known[valid.kind].add(valid.name)
    variants = {
        valid.name: {variant.name for variant in valid.spec.variants}
        for valid in documents
        if isinstance(valid.spec, ModelSpec)
    }
    findings = []
    for reference in referred:
        names = variants.get(reference.model) if reference.model else known[reference.kind]
        if names is None or reference.name in names:
            continue
        if reference.model or not unread.may_hold(reference.kind, reference.name):
            findings.append(_nowhere(reference, names))
    return findings


def _nowhere(reference: Reference, valid_names: set[str]) -> Finding:
    what = f"variant of {reference.model}" if reference.model else reference.kind
    meant = valid_names.difference(reference.beside)
    hint = suggestion(reference.name, meant, f"add a document of kind {what}")
    return error("GW0302", reference.place, f"there is no {what} {shown(reference.name)}", hint)


def _names(kind: str, names: Sequence[str], valid: Valid, *path: str | int) -> Iterator[Reference]:
    """A reference for each name of a list."""
    for index, name in enumerate(names):
        yield Reference(kind, name, valid.place(*path, index))


def _of_service(valid: Valid, spec: ServiceSpec) -> Iterator[Reference]:
    sites = tuple(origin.site for origin in spec.origins)
    for index, site in enumerate(sites):
        others = sites[:index] + sites[index + 1 :]
        yield Reference("Site", site, valid.place("origins", index, "site"), beside=others)
    for index, stage in enumerate(spec.stages):
        yield Reference("Model", stage.model, valid.place("stages", index, "model"))
        if stage.removes:
            yield from _names("Issuer", stage.removes.verifiers, valid, "stages", index, "removes", "verifiers")
    for index, clause in enumerate(spec.placement):
        for word, pools in (("among", clause.among), ("outside", clause.outside)):
            if pools:
                yield from _names("Site", pools.sites, valid, "placement", index, word, "sites")
                yield from _names("Pool", pools.pools, valid, "placement", index, word, "pools")
                yield from _names("DeviceProfile", pools.devices, valid, "placement", index, word, "devices")
    if spec.team is not None:
        yield Reference("Team", spec.team, valid.place("team"))
    yield from _of_steps(valid, spec.degrade)
    yield from _of_clauses(valid, spec.compliance, "compliance")


def _of_tier(valid: Valid, spec: TierSpec) -> Iterator[Reference]:
    yield from _of_steps(valid, spec.defaults.degrade, "defaults")
    yield from _of_clauses(valid, spec.compliance, "compliance")


def _of_steps(valid: Valid, steps: Sequence[DegradeSpec], *path: str) -> Iterator[Reference]:
    for index, step in enumerate(steps):
        for model, variant in (step.use or {}).items():
            yield Reference("Model", model, valid.source.key_place("spec", *path, "degrade", index, "use", model))
            yield Reference("variant", variant, valid.place(*path, "degrade", index, "use", model), model)


def _of_pool(valid: Valid, spec: PoolSpec) -> Iterator[Reference]:
    yield Reference("Site", spec.site, valid.place("site"))
    yield Reference("DeviceProfile", spec.device, valid.place("device"))
    if spec.dedicated_to:
        yield from _of_services(valid, spec.dedicated_to, "dedicatedTo")


def _of_link(valid: Valid, spec: LinkSpec) -> Iterator[Reference]:
    for index, site in enumerate(spec.between):
        yield Reference("Site", site, valid.place("between", index), beside=(spec.between[1 - index],))
    for site in spec.egress:
        yield Reference("Site", site, valid.source.key_place("spec", "egress", site))


def _of_device_profile(valid: Valid, spec: DeviceProfileSpec) -> Iterator[Reference]:
    for index, profile in enumerate(spec.variants):
        yield Reference("Model", profile.model, valid.place("variants", index, "model"))
        yield Reference("variant", profile.variant, valid.place("variants", index, "variant"), profile.model)


def _of_compliance_profile(valid: Valid, spec: ComplianceProfileSpec) -> Iterator[Reference]:
    yield from _of_services(valid, spec.applies_to, "appliesTo")
    yield from _of_clauses(valid, spec)


def _of_clauses(valid: Valid, spec: ClausesSpec | None, *path: str) -> Iterator[Reference]:
    if spec and spec.separation:
        yield from _of_services(valid, spec.separation.from_, *path, "separation", "from")
    if spec and spec.attestation:
        yield from _names("Issuer", spec.attestation.verifiers, valid, *path, "attestation", "verifiers")
    if spec and spec.models:
        yield from _names("Issuer", spec.models.signed_by, valid, *path, "models", "signedBy")
        built = spec.models.provenance
        yield from _names("Issuer", built.verifiers if built else (), valid, *path, "models", "provenance", "verifiers")


def _of_services(valid: Valid, spec: ServicesSpec, *path: str) -> Iterator[Reference]:
    yield from _names("Service", spec.services, valid, *path, "services")
    yield from _names("Team", spec.teams, valid, *path, "teams")


def _of_issuer(valid: Valid, spec: IssuerSpec) -> Iterator[Reference]:
    yield from _names("Site", spec.claims.sites, valid, "claims", "sites")
    yield from _names("Pool", spec.claims.pools, valid, "claims", "pools")
    yield from _names("Link", spec.claims.links, valid, "claims", "links")
    yield from _names("Model", spec.claims.models, valid, "claims", "models")


def _of_cost_policy(valid: Valid, spec: CostPolicySpec) -> Iterator[Reference]:
    for index, ceiling in enumerate(spec.ceilings):
        if ceiling.site is not None:
            yield Reference("Site", ceiling.site, valid.place("ceilings", index, "site"))
        if ceiling.service is not None:
            yield Reference("Service", ceiling.service, valid.place("ceilings", index, "service"))
        if ceiling.team is not None:
            yield Reference("Team", ceiling.team, valid.place("ceilings", index, "team"))


def _of_scaling_policy(valid: Valid, spec: ScalingPolicySpec) -> Iterator[Reference]:
    for index, bound in enumerate(spec.bounds):
        yield Reference("Model", bound.model, valid.place("bounds", index, "model"))
        if bound.site is not None:
            yield Reference("Site", bound.site, valid.place("bounds", index, "site"))


def _of_maintenance(valid: Valid, spec: MaintenanceSpec) -> Iterator[Reference]:
    yield from _names("Site", spec.sites, valid, "sites")
    yield from _names("Pool", spec.pools, valid, "pools")


_READERS: Final[Mapping[str, Callable[[Valid, Any], Iterator[Reference]]]] = MappingProxyType(
    {
        "Service": _of_service,
        "Pool": _of_pool,
        "Link": _of_link,
        "DeviceProfile": _of_device_profile,
        "ComplianceProfile": _of_compliance_profile,
        "Issuer": _of_issuer,
        "CostPolicy": _of_cost_policy,
        "ScalingPolicy": _of_scaling_policy,
        "Maintenance": _of_maintenance,
        "Organisation": _of_tier,
        "Team": _of_tier,
    }
)
