"""Routes brought about in a cluster: written as objects, and done once their Gateways tell that they follow them."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from collectors.recording import RecordingError
from controller.acting.actuator import ActuatorError, UnreadError
from controller.actions import Action, SetRoutes
from controller.cluster.api_server.calls import Calls
from controller.cluster.api_server.errors import CallError, MissingError
from controller.cluster.api_server.listing import listed
from controller.cluster.names import MANAGED_BY, MANAGER
from controller.cluster.routes.catalogue import not_followed, not_installed, refused
from controller.cluster.routes.parting import parted_stages
from controller.cluster.routes.route import demand_of, grpc_route, http_route
from controller.cluster.routes.sayable import by_grpc, left_undone, why_not
from controller.cluster.routes.settings import GatewaySettings
from controller.cluster.routes.told import SPOILT, told
from controller.cluster.servers.applying import Applier
from controller.cluster.servers.standing import ROUTED, Manifest
from controller.fleet import RouteSet
from policy.findings import Finding, Level
from policy.resolved import Policy

LOOK_S: Final = 0.25
FOLLOWED_S: Final = 15.0
"""How long an action waits for Gateways; a route that leads to a Service of now may be refused for a moment."""
_OURS: Final = f"{MANAGED_BY}={MANAGER}"


class RoutesActuator:
    """Sets routes at the Gateways of a cluster, by origin. `elsewhere` are the pools without servers in the cluster.

    `refused` has a finding for each route that its Gateway did not take when routes were looked at last.
    """

    name = "routes"

    def __init__(
        self,
        calls: Calls,
        gateways: Mapping[str, GatewaySettings],
        *,
        elsewhere: Collection[str] = (),
        followed_s: float = FOLLOWED_S,
    ) -> None:
        self._calls = calls
        self._applier = Applier(calls, ROUTED)
        self._gateways = gateways
        self._elsewhere = elsewhere
        self._followed_s = followed_s
        self.refused: tuple[Finding, ...] = ()

    def handles(self, action: Action) -> bool:
        """Routes."""
        return isinstance(action, SetRoutes)

    async def apply(self, decision_id: str, action: Action, policy: Policy) -> None:  # noqa: ARG002 - the action says all
        """Have every named demand routed as wanted; the others that the policy knows keep their routes.

        Raises ActuatorError.
        """
        if not isinstance(action, SetRoutes):
            raise ActuatorError(
                f"{self.name} cannot do {type(action).__name__}: give it to the actuator that handles it"
            )
        homeless = sorted({item.origin for item in action.routes} - self._gateways.keys())
        if homeless:
            raise ActuatorError(
                f"no Gateway is known for requests from {', '.join(homeless)}: name one under `cluster.gateways` in "
                "the connections document"
            )
        try:
            sets = {(item.service, item.origin): item for item in (*_demands(await self._routes()), *action.routes)}
            known = {service.name for service in policy.services}
            kept = [item for item in sets.values() if item.service in known and item.origin in self._gateways]
            wanted = self._said(sorted(kept), policy)
            done = await self._applier.apply(wanted)
            errors = [each for each in done.findings if each.level is not Level.INFO]
            if errors:
                raise ActuatorError("; ".join(map(str, errors)))
            await self._followed()
        except CallError as error:
            raise _failed(error) from error

    async def routes(self) -> tuple[RouteSet, ...]:
        """What all Gateways follow now.

        Raises UnreadError, with all else, when one does not tell that it follows what is written, and ActuatorError.
        """
        try:
            live = await self._routes()
        except CallError as error:
            raise _failed(error) from error
        behind = _behind(live)
        if behind:
            trouble = "; ".join(f"{_name(each)}: {told(each)}" for each in behind)
            late = {(item.service, item.origin) for each in behind if (item := demand_of(each)) is not None}
            written = {(item.service, item.origin): item for item in _demands(live)}
            read = [item for demand, item in written.items() if demand not in late]
            maybe = [item for each in behind if _may_be_followed(each) and (item := demand_of(each)) is not None]
            raise UnreadError(trouble, read, {origin for _, origin in late}, maybe)
        return tuple(sorted(_demands(live)))

    def left_undone(self, routes: Sequence[RouteSet], policy: Policy) -> tuple[Finding, ...]:
        """What the Gateways do not do of a plan's routes."""
        return left_undone(routes, policy, self._gateways)

    def _said(self, sets: Sequence[RouteSet], policy: Policy) -> list[Manifest]:
        """All routes as objects. Raises ActuatorError when one cannot be said, and then none is written."""
        by_http: list[Manifest] = []
        also: list[Manifest] = []
        for item in sets:
            gateway = self._gateways[item.origin]
            stages = parted_stages(item, policy)
            against = why_not(item, stages, gateway, self._elsewhere)
            if against is not None:
                raise ActuatorError(str(against))
            by_http.append(http_route(item, stages, gateway))
            if gateway.grpc and by_grpc(stages):
                also.append(grpc_route(item, by_grpc(stages), gateway, gateway.grpc))
        return [*also, *by_http]

    async def _followed(self) -> None:
        """Return once all routes are. Raises ActuatorError with what their Gateways tell when that takes too long."""
        loop = asyncio.get_running_loop()
        end = loop.time() + self._followed_s
        while behind := _behind(await self._routes()):
            if loop.time() >= end:
                raise ActuatorError("; ".join(str(_finding(each, self._followed_s)) for each in behind))
            await asyncio.sleep(LOOK_S)

    async def _routes(self) -> list[Any]:
        """Every route of ours, as it stands. Raises CallError."""
        live = [
            {"kind": kind, **each}
            for kind, resource in ROUTED.items()
            async for each in listed(self._calls, resource, labelSelector=_OURS)
        ]
        self.refused = tuple(refused(_name(each), told(each).against) for each in live if told(each).against)
        return live


def _demands(live: Sequence[Any]) -> list[RouteSet]:
    """The route sets that HTTPRoutes were made from. Raises ActuatorError for one of another release."""
    found = []
    for each in live:
        try:
            demand = demand_of(each) if each["kind"] == "HTTPRoute" else None
        except RecordingError as error:
            raise ActuatorError(f"{_name(each)} was written by another release: delete it") from error
        if demand is not None:
            found.append(demand)
    return found


def _behind(live: Sequence[Any]) -> list[Any]:
    return [each for each in live if not told(each).is_followed]


def _may_be_followed(live: Any) -> bool:
    """Whether requests may go by it as it is now, in part at least: where it was not refused as a whole."""
    tells = told(live)
    return not tells.against or any(SPOILT in each for each in tells.against)


def _finding(live: Any, waited_s: float) -> Finding:
    tells = told(live)
    if tells.against:
        return refused(_name(live), tells.against)
    return not_followed(_name(live), waited_s, str(tells))


def _name(live: Any) -> str:
    return f"{live['kind']}/{live['metadata']['namespace']}/{live['metadata']['name']}"


def _failed(error: CallError) -> ActuatorError:
    return ActuatorError(str(not_installed(error.message) if isinstance(error, MissingError) else error))
