"""Servers and nodes that do not belong together: what connections name, and what the policy has."""

from collections import defaultdict
from collections.abc import Iterator

from collectors.snapshot import Snapshot
from policy.findings import Finding, Level
from policy.resolved import Policy
from policy.words import suggestion


def unmatched(policy: Policy, snapshot: Snapshot) -> Iterator[Finding]:
    """A warning for each server of a node that its pool does not have, and each node that has no server.

    Of pools that have a server on each node. What a cluster has is told where it is followed.
    """
    told: defaultdict[str, set[str]] = defaultdict(set)
    for server in snapshot.servers:
        if server.node:
            told[server.pool].add(server.node)
    followed = {item.pool for item in snapshot.inventory}
    for pool in policy.pools:
        if pool.name not in told or pool.name in followed:
            continue
        names = pool.node_names()
        for node in sorted(told[pool.name].difference(names)):
            yield Finding(
                "GW2100",
                Level.WARNING,
                f"a server is told of node {node}, and pool {pool.name} has no such node: the server is left alone",
                suggestion(node, names, f"pool {pool.name} has no nodes: take the server out of the connections"),
                subject=f"pool {pool.name}, node {node}",
            )
        for node in names:
            if node not in told[pool.name]:
                yield Finding(
                    "GW2101",
                    Level.WARNING,
                    f"no server is told of node {node}, so nothing is placed on it",
                    f"name its server in the connections under {pool.name}, or lower `nodes` of the pool",
                    pool.place,
                    f"pool {pool.name}, node {node}",
                )
