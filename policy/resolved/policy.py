"""The whole policy, and finding things in it by name."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from policy.clauses import ComplianceProfile
from policy.resolved.bounds import CostPolicy, ScalingPolicy
from policy.resolved.fleet import Link, Maintenance, Pool, Site
from policy.resolved.issuers import Issuer
from policy.resolved.models import DeviceProfile, Model
from policy.resolved.services import Service
from policy.tiers import Organisation, Team

Named = TypeVar("Named", Model, Pool, Service, Site)


@dataclass(frozen=True)
class Policy:
    """Everything that the documents say. `revision` is the digest of their contents.

    `commit` is the id of the git commit that they are from; empty where they are from elsewhere.
    """

    revision: str
    services: tuple[Service, ...]
    models: tuple[Model, ...]
    sites: tuple[Site, ...]
    pools: tuple[Pool, ...]
    links: tuple[Link, ...]
    devices: tuple[DeviceProfile, ...]
    compliance: tuple[ComplianceProfile, ...]
    cost: CostPolicy
    scaling: ScalingPolicy
    documents: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    issuers: tuple[Issuer, ...] = ()
    maintenance: tuple[Maintenance, ...] = ()
    organisation: Organisation | None = None
    teams: tuple[Team, ...] = ()
    commit: str = ""

    def model(self, name: str) -> Model:
        """The model of that name; KeyError when there is none."""
        return self._models[name]

    def pool(self, name: str) -> Pool:
        """The pool of that name; KeyError when there is none."""
        return self._pools[name]

    def service(self, name: str) -> Service:
        """The service of that name; KeyError when there is none."""
        return self._services[name]

    def site(self, name: str) -> Site:
        """The site of that name; KeyError when there is none."""
        return self._sites[name]

    def link(self, one: str, other: str) -> Link | None:
        """The link between two sites, whichever way round it is written; None when no document tells of one."""
        return self._links.get(frozenset((one, other)))

    @property
    def audited_s(self) -> int:
        """How long every decision is kept at least, for the services that profiles cover."""
        asked = (profile for profile in self.compliance if profile.audited_s)
        return max((each.audited_s for each in asked if any(map(each.scope.means, self.services))), default=0)

    @cached_property
    def _models(self) -> dict[str, Model]:
        return by_name(self.models)

    @cached_property
    def _pools(self) -> dict[str, Pool]:
        return by_name(self.pools)

    @cached_property
    def _services(self) -> dict[str, Service]:
        return by_name(self.services)

    @cached_property
    def _sites(self) -> dict[str, Site]:
        return by_name(self.sites)

    @cached_property
    def _links(self) -> dict[frozenset[str], Link]:
        return {frozenset((link.a, link.b)): link for link in reversed(self.links)}


def by_name(items: tuple[Named, ...]) -> dict[str, Named]:
    """The first item of each name."""
    return {item.name: item for item in reversed(items)}
