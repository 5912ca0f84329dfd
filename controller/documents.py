"""What the documents alone give: the snapshot that a plan starts from while no server runs."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from collectors.evidence.records import Evidence
from collectors.snapshot import LoadedModel, ModelState, Offered, Reading, Server, ServerState, Snapshot
from controller.fleet import EMPTY, Fleet
from policy.findings import Finding
from policy.resolved import Policy

SOURCE: Final = "documents"


@dataclass(frozen=True, slots=True)
class Documents:
    """A policy without errors, its evidence, and what reading them found."""

    policy: Policy
    evidence: tuple[Evidence, ...]
    findings: tuple[Finding, ...]


def observe(
    policy: Policy,
    evidence: tuple[Evidence, ...],
    now: datetime,
    findings: tuple[Finding, ...] = (),
    standing: Fleet = EMPTY,
) -> Snapshot:
    """Every pool's server with the loads of `standing`, and no measured rate: services are planned at expected rates.

    `findings` are what reading the evidence found.
    """
    return Snapshot(
        now,
        servers=tuple(
            Server(pool.name, Reading(ServerState(_loaded(standing, pool.name)), now, SOURCE)) for pool in policy.pools
        ),
        offered=tuple(
            Offered(service.name, origin.site, Reading(None, None, SOURCE))
            for service in policy.services
            for origin in service.origins
        ),
        evidence=evidence,
        findings=findings,
    )


def _loaded(fleet: Fleet, pool: str) -> tuple[LoadedModel, ...]:
    return tuple(
        LoadedModel(at.model, at.variant, ModelState.READY, load.instances, load.max_batch, load.queue_delay_us)
        for load in fleet.loads
        if (at := load.placement).pool == pool
    )
