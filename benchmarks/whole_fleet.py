"""Generated fleets of any size as resolved policies, with every rule of `rules/` in use, and what is observed of them.

Sites lie on a plane, each linked with its nearest; pools of five kinds of device, of which some hold certifications.
Services have one to three stages, four or five origins near each other, and share models now and then.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import numpy as np
from whole_evidence import evidence_of, proof_of, provenance_of
from whole_places import (
    DEVICES,
    HERE,
    NODES_A_POOL,
    NOW,
    PLANE_US,
    POOLS_A_SITE,
    drawn_device,
    drawn_links,
    drawn_model,
    drawn_pool,
    jurisdictions_at,
)
from whole_services import WITHIN, drawn_service

from collectors.snapshot import LoadedModel, ModelState, Offered, Rate, Reading, Server, ServerState, Snapshot
from controller.fleet import Fleet
from policy.clauses import (
    SLSA,
    AttestationClause,
    CertificationClause,
    Comparison,
    ComplianceProfile,
    ForbiddenClause,
    LinkEvidenceClause,
    LinkSecurityClause,
    LocalityClause,
    PayloadClause,
    PinnedClause,
    ProvenanceClause,
    PurchaseClause,
    ResidencyClause,
    Scope,
    SeparationClause,
    Standard,
    StorageClause,
    VersionBound,
)
from policy.resolved import (
    Ceiling,
    CostPolicy,
    Encryption,
    Fidelity,
    Issuer,
    Maintenance,
    Model,
    Policy,
    Pool,
    Purchase,
    ReplicaBound,
    ScalingPolicy,
    Service,
    Site,
)
from policy.windows import Window

NODES_A_MODEL: Final = 6
NODES_A_SERVICE: Final = 8
NOTHING_ASKED: Final = ComplianceProfile("more", Scope(), (), (), None, None, None, HERE)
FIRST: Final = Scope(services=("svc0",))


@dataclass(frozen=True)
class WholeFleet:
    """A policy with the rates that arrive, in thousandths of a request a second by service and origin."""

    policy: Policy
    rates: dict[tuple[str, str], int]

    def snapshot(self, fleet: Fleet | None = None, now: datetime = NOW) -> Snapshot:
        """What is seen when the servers hold what a fleet asks of them."""
        held: dict[str, list[LoadedModel]] = {pool.name: [] for pool in self.policy.pools}
        for load in fleet.loads if fleet else ():
            place = load.placement
            held[place.pool].append(
                LoadedModel(
                    place.model, place.variant, ModelState.READY, load.instances, load.max_batch, load.queue_delay_us
                )
            )
        return Snapshot(
            now,
            servers=tuple(Server(pool, Reading(ServerState(tuple(m)), now, "made")) for pool, m in held.items()),
            offered=tuple(
                Offered(service, origin, Reading(Rate(rate, 1000, 10.0), now, "made"))
                for (service, origin), rate in self.rates.items()
            ),
            evidence=(
                *(item for at, site in enumerate(self.policy.sites) for item in evidence_of(site.name, at)),
                *(item for model in self.policy.models for item in provenance_of(model)),
                *(item for at, link in enumerate(self.policy.links) for item in proof_of(link, at)),
            ),
        )

    def changed(self, seed: int, part: float = 0.1) -> "WholeFleet":
        """The same with about this part of its rates changed."""
        dice = np.random.default_rng(seed)
        rates = {
            key: max(1, round(rate * float(dice.lognormal(0, 0.7)))) if dice.random() < part else rate
            for key, rate in self.rates.items()
        }
        return replace(self, rates=rates)


def whole_fleet(nodes: int, seed: int = 1) -> WholeFleet:
    """A fleet of about so many nodes."""
    dice = np.random.default_rng(seed)
    where = dice.uniform(0, PLANE_US, (max(3, round(nodes / (NODES_A_POOL * POOLS_A_SITE))), 2))
    models = [drawn_model(dice, at) for at in range(max(3, nodes // NODES_A_MODEL))]
    base_us = {model.name: round(3000 * (model.variants[0].memory_mib / 1000) ** 0.75) for model in models}
    sites = [Site(f"s{at}", jurisdictions_at(point), HERE) for at, point in enumerate(where)]
    pools = [drawn_pool(dice, at) for at in range(POOLS_A_SITE * len(sites))]
    rates: dict[tuple[str, str], int] = {}
    services = []
    for at in range(max(2, nodes // NODES_A_SERVICE)):
        service, rate = drawn_service(dice, at, models, base_us, where)
        services.append(service)
        rates |= {
            (service.name, origin.site): max(1, round(rate * float(dice.lognormal(0, 0.7))))
            for origin in service.origins
        }
    policy = Policy(
        revision=f"whole {nodes} {seed}",
        services=tuple(services),
        models=tuple(models),
        sites=tuple(sites),
        pools=tuple(_without_the_first(pools, services)),
        links=tuple(drawn_links(dice, where)),
        devices=tuple(drawn_device(dice, name, models, base_us) for name in DEVICES),
        compliance=(
            replace(
                _profile("card", "pci-dss", WITHIN["card"], Encryption.MTLS),
                purchase=PurchaseClause((Purchase.ON_DEMAND,), HERE),
                link_evidence=LinkEvidenceClause(("mtls",), HERE),
            ),
            replace(
                _profile("health", "hds", WITHIN["health"], Encryption.TLS),
                forbidden=(ForbiddenClause(Standard("open-access", ()), HERE),),
                attestation=AttestationClause(("sev-snp", "tdx"), ("hardware",), (), (), 0, HERE),
                provenance=(ProvenanceClause(Standard(SLSA, (VersionBound(Comparison.AT_LEAST, (3,)),)), (), HERE),),
            ),
            replace(NOTHING_ASKED, scope=Scope(services=("svc1",), stages=("stage0",)), locality=LocalityClause(HERE)),
            replace(NOTHING_ASKED, scope=Scope(services=("svc2",)), separation=SeparationClause(FIRST, HERE)),
            replace(NOTHING_ASKED, scope=Scope(services=("svc3",)), storage=StorageClause(HERE)),
            replace(NOTHING_ASKED, scope=Scope(services=("svc4", "svc5", "svc6")), pinned=_full(models)),
            replace(NOTHING_ASKED, scope=Scope(services=("svc8",)), payloads=PayloadClause(Fidelity.LOSSLESS, HERE)),
        ),
        cost=CostPolicy("cost", _ceilings(pools), 2_000, HERE),
        maintenance=(
            Maintenance("new-disks", (), ("p1",), Window(int(NOW.timestamp()), int(NOW.timestamp()) + 3600), HERE),
        ),
        scaling=ScalingPolicy("scaling", 5, 200, 20, 500, 15, 20, _bounds(services), HERE),
        issuers=(Issuer("auditor", "auditor", (), (), (SLSA,), (), (), "", 0, HERE),),
    )
    return WholeFleet(policy, rates)


def _without_the_first(pools: list[Pool], services: list[Service]) -> list[Pool]:
    """Every third pool is dedicated to all services but the first."""
    others = Scope(services=tuple(service.name for service in services[1:]))
    return [replace(pool, dedicated_to=None if at % 3 else others) for at, pool in enumerate(pools)]


def _profile(data_class: str, standard: str, within: tuple[str, ...], encryption: Encryption) -> ComplianceProfile:
    return ComplianceProfile(
        data_class,
        Scope(classes=(data_class,)),
        (CertificationClause((Standard(standard, (VersionBound(Comparison.AT_LEAST, (4,)),)),), HERE),),
        (),
        ResidencyClause(within, HERE),
        LinkSecurityClause(encryption, HERE),
        None,
        HERE,
    )


def _full(models: list[Model]) -> PinnedClause:
    """The preferred variant of every model."""
    return PinnedClause(tuple(model.variants[0].digest for model in models), HERE)


def _ceilings(pools: list[Pool]) -> tuple[Ceiling, ...]:
    """A ceiling over the fleet, one at the first site that half of its nodes reach, and one of the first service."""
    everything = sum(pool.nodes * pool.price_millicents_per_hour for pool in pools)
    first = sum(pool.nodes * pool.price_millicents_per_hour for pool in pools if pool.site == "s0")
    of_one = Ceiling("", everything // 20, HERE, service="svc0")
    return Ceiling("", everything * 9 // 10, HERE), Ceiling("s0", first // 2, HERE), of_one


def _bounds(services: list[Service]) -> tuple[ReplicaBound, ...]:
    """At least four instances of each eighth model in use, and at most forty of each eighth of the others."""
    used = list(dict.fromkeys(stage.model for service in services for stage in service.stages))
    return tuple(
        ReplicaBound(model, "", 4 if at % 8 == 0 else 0, 1000 if at % 8 == 0 else 40, HERE)
        for at, model in enumerate(used)
        if at % 8 in {0, 4}
    )
