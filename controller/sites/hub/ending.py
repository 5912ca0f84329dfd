"""Until when loads and routes are allowed, as the rules of evidence measure it: a site that is cut off goes by that."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from controller.fleet import RouteSet
from controller.planning.demand import demand_id
from controller.planning.ending import ends_by_use
from controller.planning.standing_until import standing_until_s
from controller.sites.hub.question import Asked
from rules.kernel.problem import Placement

Use = tuple[str, str, Placement]
"""A demand, a stage, and the placement that serves it."""


@dataclass(frozen=True, slots=True)
class Endings:
    """When each use ends that does, and when idle placements may stand no longer."""

    uses: dict[Use, datetime]
    idle: dict[Placement, datetime] = field(default_factory=dict)

    def of_load(self, placement: Placement) -> datetime | None:
        """When the first use of a placement ends, for the site cannot tell apart whom it serves; or all that may be."""
        ends = [at for (_, _, of), at in self.uses.items() if of == placement]
        return min((*ends, *(self.idle[each] for each in (placement,) if each in self.idle)), default=None)

    def of_routes(self, routes: RouteSet, stages: tuple[str, ...]) -> datetime | None:
        """When the first of the uses ends that a route set goes over."""
        uses = _uses(routes, stages)
        return min((self.uses[use] for use in uses if use in self.uses), default=None)


def endings(asked: Asked, *more: RouteSet) -> Endings:
    """When what is routed so ends, and what `more` would route."""
    found: dict[Use, datetime] = {}
    routed = (asked, *(asked.taking((item,)) for item in more))
    for each in routed:
        for (demand, stage, option), at in ends_by_use(each.plan, each.problem).items():
            use = demand, stage, each.problem.option(option).placement
            found[use] = min(at, found.get(use, at))
    idle = {
        asked.problem.option(option).placement: datetime.fromtimestamp(end_s, UTC)
        for option, end_s in standing_until_s(asked.plan, asked.problem).items()
    }
    return Endings(found, idle)


def _uses(routes: RouteSet, stages: tuple[str, ...]) -> Iterator[Use]:
    demand = demand_id(routes.service, routes.origin)
    for way in routes.ways:
        for stage, placement in zip(stages, way.placements, strict=False):  # a site may follow those of an older policy
            yield demand, stage, placement
