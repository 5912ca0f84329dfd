"""The nodes that clusters have, for a command that looks once."""

import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from collectors.snapshot import Inventory, InventoryNode, Reading
from controller.cli.errors import CliError
from controller.cluster.api_server.calls import Calls
from controller.cluster.api_server.errors import CallError
from controller.cluster.api_server.reaching import client
from controller.cluster.inventory.collector import SOURCE, inventory_now
from policy.resolved import Pool


async def nodes_of(contexts: Iterable[str], pools: Sequence[Pool], now: datetime) -> tuple[Inventory, ...]:
    """The nodes of each pool in all clusters of these contexts of the kubeconfig together. Raises CliError."""
    found: defaultdict[str, list[InventoryNode]] = defaultdict(list)
    try:
        for context in contexts:
            async with client(context, os.environ.get("KUBECONFIG")) as reached:
                for each in await inventory_now(Calls(reached), pools, now):
                    found[each.pool].extend(each.reading.value or ())
    except CallError as error:
        raise CliError(error.message, error.hint) from error
    return tuple(Inventory(pool, Reading(tuple(nodes), now, SOURCE)) for pool, nodes in found.items())
