"""What the documents alone give: the snapshot that a plan starts from while no server runs."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from collectors.evidence.records import Evidence
from collectors.snapshot import LoadedModel, ModelState, Offered, Rate, Reading, Server, ServerState, Snapshot
from controller.fleet import EMPTY, Fleet
from policy.findings import Finding
from policy.resolved import Policy, ScalingPolicy, Service
from policy.waking import silence_s

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

    What scales to zero and is expected to be asked for nothing has not been asked for so long that it sleeps.
    `findings` are what reading the evidence found.
    """
    return Snapshot(
        now,
        servers=tuple(
            Server(pool.name, Reading(ServerState(loaded(standing, pool.name)), now, SOURCE)) for pool in policy.pools
        ),
        offered=tuple(
            Offered(service.name, origin.site, _arrived(service, policy.scaling, now))
            for service in policy.services
            for origin in service.origins
        ),
        evidence=evidence,
        findings=findings,
    )


def _arrived(service: Service, scaling: ScalingPolicy, now: datetime) -> Reading[Rate]:
    if service.scale_to_zero is None or service.expected_rate_milli_rps:
        return Reading(None, None, SOURCE)
    return Reading(Rate(0, 0, float(silence_s(service.scale_to_zero, scaling))), now, SOURCE)


def loaded(fleet: Fleet, pool: str, node: str = "") -> tuple[LoadedModel, ...]:
    """What the server of a node, or of a whole pool, holds once the fleet stands."""
    return tuple(
        LoadedModel(at.model, at.variant, ModelState.READY, load.instances, load.max_batch, load.queue_delay_us)
        for load in fleet.loads
        if (at := load.placement).pool == pool and load.node == node
    )
