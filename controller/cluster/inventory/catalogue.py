"""Every finding of a cluster's inventory, in the one place that words it."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from collectors.snapshot import InventoryNode
from controller.cluster.api_server.errors import CallError
from policy.findings import Finding, Level
from policy.resolved import Pool
from policy.words import counted

TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "GW2110": "a cluster has another number of nodes than a pool's document says",
        "GW2111": "nodes of a pool may have no servers now",
        "GW2112": "nodes are labelled with a pool that no document declares",
        "GW2113": "a cluster cannot be followed",
    }
)
_NAMED_AT_MOST: Final = 5


def other_number(pool: Pool, nodes: int) -> Finding:
    """The cluster counts; the document is what people expect, and what is planned with where no cluster is."""
    level = Level.WARNING if nodes < pool.nodes else Level.INFO
    message = f"the cluster has {counted(nodes, 'node')} of the pool, and its document says {pool.nodes}"
    hint = f"label its nodes with gridwright.dev/pool={pool.name}, or write `nodes: {max(nodes, 1)}`"
    return Finding("GW2110", level, message, hint, pool.place, f"pool {pool.name}")


def closed(pool: Pool, nodes: Sequence[InventoryNode]) -> Finding:
    """The nodes with something against them, by what it is."""
    by_reason: dict[str, list[str]] = {}
    for node in nodes:
        for reason in (*(() if node.is_ready else ("not ready",)), *node.against):
            by_reason.setdefault(reason, []).append(node.name)
    told = "; ".join(f"{reason} ({_names(names)})" for reason, names in sorted(by_reason.items()))
    hint = "nothing where that is meant; else see to it, and plans use them again"
    return Finding(
        "GW2111",
        Level.WARNING,
        f"nothing new may stand on {counted(len(nodes), 'node')}: {told}",
        hint,
        subject=f"pool {pool.name}",
    )


def undeclared(pool: str, nodes: int) -> Finding:
    """Nodes that are meant for something that is not there."""
    message = f"{counted(nodes, 'node')} are labelled with it, and no document declares it"
    return Finding("GW2112", Level.WARNING, message, "add its Pool, or take the label off", subject=f"pool {pool}")


def unfollowed(what: str, trouble: CallError) -> Finding:
    """What is known is what was seen last."""
    message = f"{what} are known as they were last seen: {trouble.message}"
    return Finding("GW2113", Level.WARNING, message, trouble.hint, subject=what)


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED_AT_MOST} more" if len(names) > _NAMED_AT_MOST else ""
    return f"{', '.join(names[:_NAMED_AT_MOST])}{more}"
