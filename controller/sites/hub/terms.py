"""What a decision lets each site do by itself, and the site's plan that says so."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from collectors.snapshot import Snapshot
from controller.decision import Decision
from controller.fleet import Fleet, Load, RouteSet, Seat
from controller.sites.hub.ending import Endings, endings
from controller.sites.hub.envelopes import envelopes
from controller.sites.hub.fallbacks import fallbacks
from controller.sites.hub.question import Asked, asked
from controller.sites.site_plan import Envelope, SiteLoad, SitePlan, SiteRoute, SiteService
from policy.resolved import Policy
from rules.kernel.problem import Option, Placement


@dataclass(frozen=True, slots=True)
class Terms:
    """Until when what is planned is allowed, how far it may be scaled, and which routes need no other site.

    `pools` tells the site of each pool, `stages` the names of each service's stages.
    """

    policy: Policy
    endings: Endings = field(default_factory=lambda: Endings({}))
    envelopes: Mapping[Seat, Envelope] = field(default_factory=dict)
    fallbacks: tuple[RouteSet, ...] = ()
    options: Mapping[Placement, Option] = field(default_factory=dict)

    def load(self, load: Load) -> SiteLoad:
        """A load as the site is told of it. One that is not planned is on its way out, and is not scaled."""
        option = self.options.get(load.placement)
        planned = self.envelopes.get(load.seat)
        fits = planned is not None and planned.least == load.instances
        envelope = planned if planned is not None and fits else Envelope(load.instances, load.instances)
        until = self.endings.of_load(load.placement)
        if option is None:
            return SiteLoad(load, envelope, self._memory_mib(load.placement), 0, 0, until)
        return SiteLoad(load, envelope, option.memory_mib, option.share_permille, option.capacity_milli_rps, until)

    def route(self, routes: RouteSet) -> SiteRoute:
        """A route set as the site is told of it."""
        return SiteRoute(routes, self.endings.of_routes(routes, self._stages(routes.service)))

    def of(self, site: str, fleet: Fleet, before: SitePlan) -> SitePlan:
        """The plan of a site in a fleet, instead of the one before."""
        routes = tuple(self.route(item) for item in fleet.routes if item.origin == site and self.knows(item))
        back = tuple(self.route(item) for item in self.fallbacks if item.origin == site)
        loads = tuple(self.load(item) for item in fleet.loads if self.site_of(item.placement) == site)
        return self.with_routes(replace(before, loads=loads, fallbacks=back), routes)

    def with_routes(self, plan: SitePlan, routes: tuple[SiteRoute, ...]) -> SitePlan:
        """A site's plan with these routes, without fallbacks for any other, and with what a gateway has to know."""
        ordered = tuple(sorted((item for item in routes if self.knows(item.routes)), key=lambda item: item.routes))
        names = {item.routes.service for item in ordered}
        return replace(
            plan,
            routes=ordered,
            fallbacks=tuple(item for item in plan.fallbacks if item.routes.service in names),
            services=tuple(self._service(name) for name in sorted(names)),
        )

    def site_of(self, placement: Placement) -> str:
        """The site of a placement; empty for one whose pool the policy does not have."""
        return sites_of(self.policy).get(placement.pool, "")

    def knows(self, routes: RouteSet) -> bool:
        """Whether the policy has the service."""
        return any(service.name == routes.service for service in self.policy.services)

    def _stages(self, service: str) -> tuple[str, ...]:
        return tuple(stage.name for stage in self.policy.service(service).stages)

    def _service(self, name: str) -> SiteService:
        scaling = self.policy.service(name).scale_to_zero
        return SiteService(name, self._stages(name), scaling.wake_up_us if scaling else 0)

    def _memory_mib(self, placement: Placement) -> int:
        variants = (v for model in self.policy.models if model.name == placement.model for v in model.variants)
        return next((each.memory_mib for each in variants if each.name == placement.variant), 0)


def sites_of(policy: Policy) -> dict[str, str]:
    """The site of each pool."""
    return {pool.name: pool.site for pool in policy.pools}


def terms_of(policy: Policy, snapshot: Snapshot, decision: Decision, now: datetime, sites: Collection[str]) -> Terms:
    """The terms of these sites under a decision."""
    question: Asked = asked(policy, snapshot, decision, now)
    limits = envelopes(question, decision.fleet.loads, sites)
    back = fallbacks(question, decision.fleet, limits, sites)
    return Terms(policy, endings(question, *back), limits, back, question.options)
