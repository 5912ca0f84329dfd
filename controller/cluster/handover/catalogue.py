"""Every finding of handing plans over, in the one place that words it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from policy.findings import Finding, Level
from policy.resolved import Pool

TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "GW2200": "a plan uses a site that has no cluster to be handed to",
        "GW2201": "the objects of a pool are more than one ManifestWork takes",
    }
)


def no_cluster(pool: Pool) -> Finding:
    """What the plan has there would be nowhere."""
    message = f"the plan uses the pool, and its site {pool.site} has no cluster"
    hint = f"name it under `handover.clusters` of the connections: {pool.site}: CLUSTER"
    return Finding("GW2200", Level.ERROR, message, hint, pool.place, f"pool {pool.name}")


def too_large(pool: str, size: int, most: int) -> Finding:
    """The hub's webhook would refuse it."""
    message = f"its objects have {size} bytes, and a ManifestWork takes {most}"
    hint = "part the pool into several, each with some of the nodes"
    return Finding("GW2201", Level.ERROR, message, hint, subject=f"pool {pool}")
