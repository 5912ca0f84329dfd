"""From valid documents to one policy: references followed, defaults filled in, contradictions found."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
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
from policy.documents.issuer import IssuerSpec
from policy.documents.link import LinkSpec
from policy.documents.maintenance import MaintenanceSpec
from policy.documents.model import ModelSpec
from policy.documents.organisation import OrganisationSpec
from policy.documents.policy_test import PolicyTestSpec
from policy.documents.pool import PoolSpec
from policy.documents.scaling_policy import ScalingPolicySpec
from policy.documents.service import ServiceSpec
from policy.documents.site import SiteSpec
from policy.documents.team import TeamSpec
from policy.documents.variables import VariablesSpec
from policy.findings import Finding
from policy.resolve_bounds import cost, default_cost, default_scaling, scaling
from policy.resolve_clauses import profile
from policy.resolve_composition import environment, include, variables
from policy.resolve_fleet import device, link, model, pool, site
from policy.resolve_issuer import issuer, with_digests
from policy.resolve_maintenance import maintenance
from policy.resolve_service import preferences, service
from policy.resolve_testing import policy_test
from policy.resolve_tiers import inherited, organisation, profiles, team, tiers_above
from policy.resolved import (
    CostPolicy,
    DeviceProfile,
    Issuer,
    Link,
    Maintenance,
    Model,
    Policy,
    Pool,
    ScalingPolicy,
    Service,
    Site,
)
from policy.testing import PolicyTest
from policy.tiers import Organisation, Team
from policy.validate import Valid

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
        cost=next(iter(items[CostPolicy]), default_cost()),
        scaling=next(iter(items[ScalingPolicy]), default_scaling()),
        documents=texts,
        issuers=tuple(with_digests(each, items[Model]) for each in items[Issuer]),
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
    found = []
    for valid, each in declared:
        if isinstance(each, Service) and isinstance(valid.spec, ServiceSpec):
            above = tiers_above(each, by_name, top)
            found.append(inherited(each, preferences(valid, valid.spec), above, models) if above else each)
    return tuple(sorted(found, key=lambda each: each.name))


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


_READERS: Final[Mapping[type[Spec], Callable[[Valid, Any], Item]]] = MappingProxyType(
    {
        ServiceSpec: service,
        ModelSpec: model,
        SiteSpec: site,
        PoolSpec: pool,
        LinkSpec: link,
        DeviceProfileSpec: device,
        ComplianceProfileSpec: profile,
        IssuerSpec: issuer,
        CostPolicySpec: cost,
        ScalingPolicySpec: scaling,
        MaintenanceSpec: maintenance,
        IncludeSpec: include,
        VariablesSpec: variables,
        EnvironmentSpec: environment,
        OrganisationSpec: organisation,
        TeamSpec: team,
        PolicyTestSpec: policy_test,
    }
)
