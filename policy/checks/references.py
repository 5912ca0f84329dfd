"""Every name in a document that stands for something must lead to it."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from policy.catalogue import error
from policy.documents.compliance_profile import ComplianceProfileSpec
from policy.documents.cost_policy import CostPolicySpec
from policy.documents.device_profile import DeviceProfileSpec
from policy.documents.issuer import IssuerSpec
from policy.documents.link import LinkSpec
from policy.documents.model import ModelSpec
from policy.documents.pool import PoolSpec
from policy.documents.scaling_policy import ScalingPolicySpec
from policy.documents.service import ServiceSpec
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
    """A name at its place, and what it should lead to: a kind, or with `model` a variant of that model."""

    kind: str
    name: str
    place: Place
    model: str = ""


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
    hint = suggestion(reference.name, valid_names, f"add a document of kind {what}")
    return error("GW0302", reference.place, f"there is no {what} {shown(reference.name)}", hint)


def unknown_inside(valid: Valid) -> Iterator[Finding]:
    """Stages in `after`, and origins of objectives, that the service does not have."""
    if isinstance(valid.spec, ServiceSpec):
        names = {stage.name for stage in valid.spec.stages}
        for index, stage in enumerate(valid.spec.stages):
            for position, before in enumerate(stage.after):
                if before not in names:
                    place = valid.place("stages", index, "after", position)
                    hint = suggestion(before, names - {stage.name}, "leave `after` out")
                    yield error("GW0302", place, f"{valid.name} has no stage {shown(before)}", hint)
        sites = {origin.site for origin in valid.spec.origins}
        for index, objective in enumerate(valid.spec.objectives):
            site = objective.latency.origin if objective.latency else None
            if site is not None and site not in sites:
                place = valid.place("objectives", index, "latency", "origin")
                hint = suggestion(site, sites, "leave `origin` out")
                yield error("GW0302", place, f"{valid.name} has no origin {shown(site)}", hint)


def _of_service(valid: Valid, spec: ServiceSpec) -> Iterator[Reference]:
    for index, origin in enumerate(spec.origins):
        yield Reference("Site", origin.site, valid.place("origins", index, "site"))
    for index, stage in enumerate(spec.stages):
        yield Reference("Model", stage.model, valid.place("stages", index, "model"))
    for index, step in enumerate(spec.degrade):
        for model, variant in (step.use or {}).items():
            yield Reference("Model", model, valid.source.key_place("spec", "degrade", index, "use", model))
            yield Reference("variant", variant, valid.place("degrade", index, "use", model), model)


def _of_pool(valid: Valid, spec: PoolSpec) -> Iterator[Reference]:
    yield Reference("Site", spec.site, valid.place("site"))
    yield Reference("DeviceProfile", spec.device, valid.place("device"))


def _of_link(valid: Valid, spec: LinkSpec) -> Iterator[Reference]:
    for index, site in enumerate(spec.between):
        yield Reference("Site", site, valid.place("between", index))


def _of_device_profile(valid: Valid, spec: DeviceProfileSpec) -> Iterator[Reference]:
    for index, profile in enumerate(spec.variants):
        yield Reference("Model", profile.model, valid.place("variants", index, "model"))
        yield Reference("variant", profile.variant, valid.place("variants", index, "variant"), profile.model)


def _of_compliance_profile(valid: Valid, spec: ComplianceProfileSpec) -> Iterator[Reference]:
    for index, service in enumerate(spec.applies_to.services):
        yield Reference("Service", service, valid.place("appliesTo", "services", index))
    for index, verifier in enumerate(spec.attestation.verifiers if spec.attestation else ()):
        yield Reference("Issuer", verifier, valid.place("attestation", "verifiers", index))
    models = spec.models
    for index, verifier in enumerate(models.provenance.verifiers if models and models.provenance else ()):
        yield Reference("Issuer", verifier, valid.place("models", "provenance", "verifiers", index))
    for index, signer in enumerate(models.signed_by if models else ()):
        yield Reference("Issuer", signer, valid.place("models", "signedBy", index))


def _of_issuer(valid: Valid, spec: IssuerSpec) -> Iterator[Reference]:
    for index, site in enumerate(spec.claims.sites):
        yield Reference("Site", site, valid.place("claims", "sites", index))
    for index, pool in enumerate(spec.claims.pools):
        yield Reference("Pool", pool, valid.place("claims", "pools", index))
    for index, link in enumerate(spec.claims.links):
        yield Reference("Link", link, valid.place("claims", "links", index))
    for index, model in enumerate(spec.claims.models):
        yield Reference("Model", model, valid.place("claims", "models", index))


def _of_cost_policy(valid: Valid, spec: CostPolicySpec) -> Iterator[Reference]:
    for index, ceiling in enumerate(spec.ceilings):
        if ceiling.site is not None:
            yield Reference("Site", ceiling.site, valid.place("ceilings", index, "site"))


def _of_scaling_policy(valid: Valid, spec: ScalingPolicySpec) -> Iterator[Reference]:
    for index, bound in enumerate(spec.bounds):
        yield Reference("Model", bound.model, valid.place("bounds", index, "model"))
        if bound.site is not None:
            yield Reference("Site", bound.site, valid.place("bounds", index, "site"))


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
    }
)
