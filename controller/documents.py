"""The snapshot that the documents alone give: what a plan starts from while no server runs."""

from datetime import datetime
from typing import Final

from collectors.evidence.records import Evidence
from collectors.snapshot import Offered, Reading, Server, ServerState, Snapshot
from policy.findings import Finding
from policy.resolved import Policy

SOURCE: Final = "documents"


def observe(
    policy: Policy, evidence: tuple[Evidence, ...], now: datetime, findings: tuple[Finding, ...] = ()
) -> Snapshot:
    """Every pool's server, present and empty, and no measured rate: services are planned at their expected rates.

    `findings` are what reading the evidence found.
    """
    empty = Reading(ServerState(()), now, SOURCE)
    return Snapshot(
        now,
        servers=tuple(Server(pool.name, empty) for pool in policy.pools),
        offered=tuple(
            Offered(service.name, origin.site, Reading(None, None, SOURCE))
            for service in policy.services
            for origin in service.origins
        ),
        evidence=evidence,
        findings=findings,
    )
