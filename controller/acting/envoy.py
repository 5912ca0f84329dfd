"""Acting on Envoy gateways: replacing the route file of an origin and waiting until Envoy follows it."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import quote

import httpx

from collectors.fetch import Limits, SourceError, fetch
from collectors.recording import RecordingError
from collectors.triton_repository import decode
from controller.acting.actuator import ActuatorError, UnreadError
from controller.acting.envoy_files import ROUTE_FILE, InForce, is_younger, replace_file, written
from controller.acting.envoy_stages import (
    Delays,
    Json,
    Services,
    configuration,
    link_delays_us,
    route_sets,
    services_of,
    version,
)
from controller.acting.waiting import until
from controller.actions import Action, SetRoutes
from controller.connections.gateway import GatewayConnection
from controller.fleet import RouteSet
from policy.resolved import Policy

REJECTED: Final = "update_rejected"
NO_DELAYS: Final[Delays] = MappingProxyType({})


class EnvoyActuator:
    """Sets routes at gateways that read `<routes>/<origin>/routes.json` when it is replaced there."""

    name = "envoy"

    def __init__(
        self,
        client: httpx.AsyncClient,
        gateways: Sequence[GatewayConnection],
        deadline: timedelta = timedelta(seconds=10),
    ) -> None:
        self._client = client
        self._gateways = tuple(gateways)
        self._deadline = deadline

    def handles(self, action: Action) -> bool:
        """Routes."""
        return isinstance(action, SetRoutes)

    async def apply(self, decision_id: str, action: Action, policy: Policy) -> None:  # noqa: ARG002 - the action says all
        """Have every named demand routed as wanted. Raises ActuatorError."""
        if not isinstance(action, SetRoutes):
            raise ActuatorError(
                f"{self.name} cannot do {type(action).__name__}: give it to the actuator that handles it"
            )
        await self.follow(action.routes, services_of(policy), link_delays_us(policy))

    async def follow(self, routes: Sequence[RouteSet], services: Services, delays_us: Delays = NO_DELAYS) -> None:
        """Have every named demand routed as wanted; the others of known services keep their routes.

        All gateways are told side by side: one that does not answer keeps no request on what it has to leave elsewhere.
        `delays_us` are made up where a gateway emulates links. Raises ActuatorError.
        """
        work = [
            self._follow(
                gateway,
                origin,
                [item for item in routes if item.origin == origin],
                services,
                delays_us if gateway.emulate_links else NO_DELAYS,
            )
            for gateway in self._gateways
            for origin in gateway.origins
        ]
        failed = [each for each in await asyncio.gather(*work, return_exceptions=True) if each is not None]
        if failed:
            raise failed[0]
        served = {origin for gateway in self._gateways for origin in gateway.origins}
        homeless = sorted({item.origin for item in routes} - served)
        if homeless:
            raise ActuatorError(
                f"no gateway is known for requests from {', '.join(homeless)}: name one under `gateways` in the "
                "connections document"
            )

    async def routes(self) -> tuple[RouteSet, ...]:
        """What all gateways follow now.

        Raises UnreadError, with what the others follow, when one does not tell, or may follow at once what it was given
        just now.
        """
        asked = [(gateway, origin) for gateway in self._gateways for origin in gateway.origins]
        found = await asyncio.gather(*(self._told(gateway, origin) for gateway, origin in asked))
        read: list[RouteSet] = []
        maybe: list[RouteSet] = []
        unread: dict[str, ActuatorError] = {}
        for (gateway, origin), each in zip(asked, found, strict=True):
            file = gateway.routes / origin / ROUTE_FILE
            if isinstance(each, ActuatorError):
                unread[origin] = each
                maybe += written(file).routes
                continue
            read += each.routes
            if is_younger(file, self._deadline) and (given := written(file)).version not in {"", each.version}:
                maybe += given.routes
        if unread or maybe:
            told = dict.fromkeys(map(str, unread.values())) or ["a gateway is about to follow what it was given"]
            raise UnreadError("; ".join(told), read, unread, maybe)
        return tuple(sorted(read))

    async def _told(self, gateway: GatewayConnection, origin: str) -> InForce | ActuatorError:
        """What a gateway follows for an origin, or why that is not known."""
        try:
            return await self._in_force(gateway, origin)
        except ActuatorError as error:
            return error

    async def _follow(
        self, gateway: GatewayConnection, origin: str, changed: Sequence[RouteSet], services: Services, delays: Delays
    ) -> None:
        file = gateway.routes / origin / ROUTE_FILE

        def beside(routes: Iterable[RouteSet]) -> Json:
            sets = {item.service: item for item in (*routes, *changed)}
            return configuration(origin, [item for item in sets.values() if item.service in services], services, delays)

        try:
            now = await self._in_force(gateway, origin)
        except ActuatorError:
            _give_unread(file, beside)
            raise
        wanted = beside(now.routes)
        if now.version == version(wanted):
            if written(file).version not in {"", now.version}:
                replace_file(file, wanted)  # given before, and not followed: it would be once the gateway starts anew
            return
        rejected = await self._rejected(gateway, origin)
        replace_file(file, wanted)

        async def followed() -> bool:
            if await self._rejected(gateway, origin) > rejected:
                raise ActuatorError(
                    f"the gateway refused the routes of {origin} and keeps those before: its log tells which part, and "
                    "whether it has a cluster for every server and variant"
                )
            return (await self._in_force(gateway, origin)).version == version(wanted)

        try:
            async with asyncio.timeout(self._deadline.total_seconds()):
                await until(followed)
        except TimeoutError as error:
            raise ActuatorError(
                f"the gateway does not follow the new routes of {origin} after {self._deadline.total_seconds():g} s: "
                f"see whether it watches {gateway.routes / origin}"
            ) from error

    async def _in_force(self, gateway: GatewayConnection, origin: str) -> InForce:
        found = await self._ask(gateway, "config_dump?resource=dynamic_route_configs")
        for item in found.get("configs", ()):
            routes = item.get("route_config", {})
            if routes.get("name") == origin:
                try:
                    return InForce(item.get("version_info", ""), route_sets(routes))
                except RecordingError as error:
                    raise ActuatorError(
                        f"the routes that {gateway.admin} follows for {origin} were written by another release: "
                        f"remove {gateway.routes / origin / ROUTE_FILE} and start the gateway again"
                    ) from error
        return InForce()

    async def _rejected(self, gateway: GatewayConnection, origin: str) -> int:
        """How many route files of the origin the gateway has refused since it started."""
        wanted = quote(rf"^http\.{origin}\.rds\..*\.{REJECTED}$")
        found = await self._ask(gateway, f"stats?format=json&filter={wanted}")
        return sum(int(item.get("value", 0)) for item in found.get("stats", ()) if "name" in item)

    async def _ask(self, gateway: GatewayConnection, path: str) -> Json:
        url = f"http://{gateway.admin}/{path}"
        try:
            return decode(await fetch(self._client, "GET", url, Limits()), dict[str, Any], url)
        except SourceError as error:
            raise ActuatorError(str(error)) from error


def _give_unread(file: Path, beside: Callable[[Iterable[RouteSet]], Json]) -> None:
    """Give a gateway that does not tell what it follows what it should, beside what it was given last.

    Requests are to leave also where only the answer is missing, and a gateway that is down begins with its file.
    """
    given = written(file)
    if given.version and given.version != version(wanted := beside(given.routes)):
        replace_file(file, wanted)
