"""What a person has to know of routes after each turn, beside what is kept of servers."""

from collectors.snapshot import Snapshot
from controller.cluster.routes.routing import RoutesActuator
from controller.cluster.servers.upkeep import ClusterUpkeep
from controller.decision import Decision
from controller.fleet import Fleet
from policy.findings import Finding
from policy.resolved import Policy


class RoutedUpkeep:
    """Keeps servers, and tells of routes that Gateways refuse and of what they leave undone of a plan."""

    def __init__(self, servers: ClusterUpkeep, routes: RoutesActuator) -> None:
        self._servers = servers
        self._routes = routes

    async def prepare(
        self, policy: Policy, snapshot: Snapshot, running: Fleet, decision: Decision
    ) -> tuple[Finding, ...]:
        """What servers need before actions; routes need nothing."""
        return await self._servers.prepare(policy, snapshot, running, decision)

    async def keep(
        self, policy: Policy, planned: Fleet, snapshot: Snapshot, *, is_reached: bool
    ) -> tuple[Finding, ...]:
        """What a person has to know of both."""
        of_servers = await self._servers.keep(policy, planned, snapshot, is_reached=is_reached)
        return (*of_servers, *self._routes.refused, *self._routes.left_undone(planned.routes, policy))
