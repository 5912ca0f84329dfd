"""What a person has to know of routes after each turn, beside what is kept of servers."""

from collections.abc import Callable

from collectors.snapshot import Snapshot
from controller.cluster.routes.routing import RoutesActuator
from controller.cluster.servers.upkeep import ClusterUpkeep
from controller.fleet import Fleet
from policy.findings import Finding
from policy.resolved import Policy


class RoutedUpkeep:
    """Keeps servers, and tells of routes that Gateways refuse and of what they leave undone of a plan."""

    def __init__(self, servers: ClusterUpkeep, routes: RoutesActuator, policy: Callable[[], Policy | None]) -> None:
        self._servers = servers
        self._routes = routes
        self._policy = policy

    async def keep(self, planned: Fleet, snapshot: Snapshot, *, is_reached: bool) -> tuple[Finding, ...]:
        """What a person has to know of both."""
        of_servers = await self._servers.keep(planned, snapshot, is_reached=is_reached)
        policy = self._policy()
        undone = self._routes.left_undone(planned.routes, policy) if policy else ()
        return (*of_servers, *self._routes.refused, *undone)
