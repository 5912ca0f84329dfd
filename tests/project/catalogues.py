"""Every catalogue of findings, in the one place that tests know them from."""

from collections.abc import Mapping
from typing import Final

from collectors.catalogue import TITLES as READINGS
from controller.cluster.custom_resources.catalogue import TITLES as RESOURCES
from controller.cluster.handover.catalogue import TITLES as HANDOVER
from controller.cluster.inventory.catalogue import TITLES as INVENTORY
from controller.cluster.routes.catalogue import TITLES as ROUTED
from controller.cluster.servers.catalogue import TITLES as SERVERS
from controller.planning.catalogue import TITLES as PLANNING
from controller.sites.agent.catalogue import TITLES as AGENTS
from controller.sites.hub.catalogue import TITLES as SITES
from policy.catalogue import TITLES as POLICY

DECIDING: Final[Mapping[str, str]] = {
    **PLANNING,
    **INVENTORY,
    **SERVERS,
    **ROUTED,
    **SITES,
    **AGENTS,
    **HANDOVER,
    **RESOURCES,
}
"""Those of a running controller and of agents, but for what it reads and the policy; titles by id."""
TITLES: Final[Mapping[str, str]] = {**POLICY, **READINGS, **DECIDING}
"""Those of everything but the rules."""
