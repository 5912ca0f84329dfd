"""Generated fleets of any size as resolved policies, with every rule of `rules/` in use, and what is observed of them.

Sites lie on a plane, each linked with its nearest; pools of five kinds of device, of which some hold certifications.
Services have one to three stages, four or five origins near each other, and share models now and then.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np

from collectors.evidence.records import ARTEFACT, Attestation, Evidence
from collectors.snapshot import LoadedModel, ModelState, Offered, Rate, Reading, Server, ServerState, Snapshot
from controller.fleet import Fleet
from policy.clauses import (
    ENCRYPTED_AT_REST,
    SLSA,
    AttestationClause,
    CertificationClause,
    Comparison,
    ComplianceProfile,
    ForbiddenClause,
    LinkEvidenceClause,
    LinkSecurityClause,
    LocalityClause,
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
from policy.findings import Place
from policy.resolved import (
    AccuracyObjective,
    AvailabilityObjective,
    Ceiling,
    CostObjective,
    CostPolicy,
    DeviceProfile,
    Egress,
    Encryption,
    Issuer,
    LatencyObjective,
    Link,
    Maintenance,
    Model,
    Orchestration,
    Origin,
    Policy,
    Pool,
    PoolsClause,
    Purchase,
    ReplicaBound,
    ScalingPolicy,
    Service,
    Shed,
    Site,
    Stage,
    TogetherClause,
    UseVariant,
    Variant,
    VariantProfile,
    Within,
)
from policy.windows import Window

NOW: Final = datetime(2026, 5, 4, 12, tzinfo=UTC)
HERE: Final = Place("fleet.yaml", 1, 1)
DEVICES: Final = {
    "t4": (16_384, 1.0, 50_000),
    "l4": (24_576, 0.6, 80_000),
    "a10": (24_576, 0.45, 100_000),
    "a100": (81_920, 0.2, 370_000),
    "orin": (32_768, 1.3, 25_000),
}
"""Memory in MiB, time relative to a T4, and price in millicents an hour."""
SHARE_PERMILLE: Final = 250
MEMORY_MIB: Final = (1_000, 2_000, 4_000, 8_000, 12_000)
PLANE_US: Final = 45_000
SPARED_EVERY: Final = 5
"""Of so many services, one has an instance to spare at each stage, where it promises availability at all."""
SURVIVING: Final = 3
"""Of those with one to spare by number, the first of each `SPARED_EVERY` times so many survives any site, too."""
RACKS_ASKED: Final = 2
RACKS: Final = ("row-a", "row-b", "row-c")
"""Of every site."""
NODES_A_POOL: Final = 12
POOLS_A_SITE: Final = 2
NODES_A_MODEL: Final = 6
NODES_A_SERVICE: Final = 8
LINKS: Final = 9
"""Of a site, to its nearest; on small fleets so many less that some sites are not joined."""
EGRESS: Final = 2_000
"""Millicents a GiB that leaves every other site."""
STAGES: Final = ((1, 0.6), (2, 0.25), (3, 0.15))
"""Numbers of stages, and how likely each is."""
RATE: Final = 1.3e10
"""What an origin asks for, over what it keeps busy for how many us: some half of the nodes are needed."""
LONGEST: Final = 8
"""An objective leaves each stage so many times what a T4 takes alone."""

NOTHING_ASKED: Final = ComplianceProfile("more", Scope(), (), (), None, None, None, HERE)
FIRST: Final = Scope(services=("svc0",))
DEAR_MILLICENTS: Final = 1_000
"""A cent for 1000 requests: dear models on dear nodes cost more."""
EACH: Final = 10
"""Of so many services one has a price for its requests, one is kept from a device, three keep their stages together,
and one promises the first of them."""

CLASSES: Final = ("card", "health", "")
WITHIN: Final = {"card": ("A", "B", "C"), "health": ("B", "C", "D")}
"""Where data of a class has to stay."""

Dice = np.random.Generator


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
                *(item for at, site in enumerate(self.policy.sites) for item in _evidence(site.name, at)),
                *(item for model in self.policy.models for item in _built(model)),
                *(item for at, link in enumerate(self.policy.links) for item in _proven(link, at)),
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
    models = [_model(dice, at) for at in range(max(3, nodes // NODES_A_MODEL))]
    base_us = {model.name: round(3000 * (model.variants[0].memory_mib / 1000) ** 0.75) for model in models}
    sites = [Site(f"s{at}", _jurisdictions(point), HERE) for at, point in enumerate(where)]
    pools = [_pool(dice, at) for at in range(POOLS_A_SITE * len(sites))]
    rates: dict[tuple[str, str], int] = {}
    services = []
    for at in range(max(2, nodes // NODES_A_SERVICE)):
        service, rate = _service(dice, at, models, base_us, where)
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
        links=tuple(_links(dice, where)),
        devices=tuple(_device(dice, name, models, base_us) for name in DEVICES),
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
        ),
        cost=CostPolicy("cost", _ceilings(pools), 2_000, HERE),
        maintenance=(
            Maintenance("new-disks", (), ("p1",), Window(int(NOW.timestamp()), int(NOW.timestamp()) + 3600), HERE),
        ),
        scaling=ScalingPolicy("scaling", 5, 200, 20, 500, 15, 20, _bounds(services), HERE),
        issuers=(Issuer("auditor", "auditor", (), (), (SLSA,), (), (), "", 0, HERE),),
    )
    return WholeFleet(policy, rates)


def _jurisdictions(point: np.ndarray) -> tuple[str, ...]:
    east, south = bool(point[0] > PLANE_US / 2), bool(point[1] > PLANE_US / 2)
    return "ABCD"[2 * south + east], "S" if south else "N", "E" if east else "W"


def _model(dice: Dice, number: int) -> Model:
    memory = int(dice.choice(MEMORY_MIB))
    full = Variant("fp16", f"sha256:{number}", "fp16", memory, 950_000, HERE)
    light = Variant("int8", f"sha256:{number}-8", "int8", memory // 2, int(dice.integers(860_000, 940_000)), HERE)
    return Model(f"m{number}", (full, light) if dice.random() < 0.4 else (full,), HERE)  # noqa: PLR2004


def _pool(dice: Dice, number: int) -> Pool:
    device = list(DEVICES)[dice.integers(len(DEVICES))]
    memory, _, price = DEVICES[device]
    spot = dice.random() < 1 / 3
    count = int(dice.integers(NODES_A_POOL // 2, 3 * NODES_A_POOL // 2 + 1))
    name, site = f"p{number}", f"s{number // POOLS_A_SITE}"
    purchase, price = (Purchase.SPOT, price * 45 // 100) if spot else (Purchase.ON_DEMAND, price)
    return Pool(name, site, device, count, memory, 1000, price, purchase, HERE, racks=RACKS)


def _device(dice: Dice, name: str, models: list[Model], base_us: dict[str, int]) -> DeviceProfile:
    _, scale, _ = DEVICES[name]
    profiles = []
    for model in models:
        if name == "t4" or dice.random() < 0.7:  # noqa: PLR2004
            for variant in model.variants:
                one_us = round(base_us[model.name] * scale * (0.6 if variant.name == "int8" else 1.0))
                times = ((1, one_us), (2, one_us * 3 // 2), (4, one_us * 12 // 5))
                profiles.append(VariantProfile(model.name, variant.name, times, SHARE_PERMILLE, 2_000_000, HERE))
    return DeviceProfile(name, tuple(profiles), HERE)


def _links(dice: Dice, where: np.ndarray) -> list[Link]:
    found: dict[tuple[int, int], Link] = {}
    for one, point in enumerate(where):
        away_us = np.linalg.norm(where - point, axis=1)
        for other in np.argsort(away_us)[1 : 1 + min(LINKS, len(where) // 2)].tolist():
            low, high = min(one, other), max(one, other)
            rtt_us = round(1000 + away_us[other])
            transit = tuple(dict.fromkeys((_jurisdictions(where[low])[0], _jurisdictions(where[high])[0])))
            encryption = Encryption(str(dice.choice(["mtls", "tls", "none"], p=[0.8, 0.15, 0.05])))
            link = Link(
                *(f"s{low}", f"s{high}", rtt_us, rtt_us // 10, 10_000_000, encryption, transit, HERE),
                name=f"s{low}-s{high}",
                egress=(Egress(f"s{low}", EGRESS, HERE),) if low % 2 else (),
            )
            found.setdefault((low, high), link)
    return list(found.values())


def _service(
    dice: Dice, number: int, models: list[Model], base_us: dict[str, int], where: np.ndarray
) -> tuple[Service, float]:
    """A service, and the typical rate of an origin."""
    length = int(dice.choice([many for many, _ in STAGES], p=[part for _, part in STAGES]))
    chosen = [models[at] for at in dice.choice(len(models), min(length, len(models)), replace=False)]
    stages = tuple(
        Stage(f"stage{at}", model.name, (f"stage{at - 1}",) if at else (), int(dice.integers(1, 3)), 20_000, HERE)
        for at, model in enumerate(chosen)
    )
    busy_us = sum(base_us[stage.model] * stage.fanout for stage in stages)
    rate = RATE / busy_us * float(dice.lognormal(-1.5, 0.7))
    protected = CLASSES[int(dice.choice(len(CLASSES), p=[0.15, 0.15, 0.7]))]
    allowed = [at for at, point in enumerate(where) if _inside(point, WITHIN.get(protected, ()))]
    centre = where[int(dice.choice(allowed))]
    near = np.array(sorted(allowed, key=lambda at: float(np.linalg.norm(where[at] - centre)))[:6])
    origins = tuple(
        Origin(f"s{at}", 200, HERE) for at in dice.choice(near, min(len(near), int(dice.integers(4, 6))), replace=False)
    )
    light = [UseVariant(m.name, v.name, HERE) for m in chosen for v in m.variants[1:]]
    below_us = sum(LONGEST * base_us[stage.model] for stage in stages) + 30_000 + round(float(dice.exponential(60_000)))
    service = Service(
        name=f"svc{number}",
        labels=(),
        data_classes=(protected,) if protected else (),
        data_subjects=(),
        orchestration=Orchestration.ORIGIN,
        origins=origins,
        stages=stages,
        expected_rate_milli_rps=round(rate) * len(origins),
        latency=(LatencyObjective(9900, below_us, 300, HERE),),
        availability=AvailabilityObjective(
            2, 2, HERE, int(number % SPARED_EVERY == 0), RACKS_ASKED, number % (SPARED_EVERY * SURVIVING) == 0
        )
        if dice.random() < 0.4  # noqa: PLR2004
        else None,
        accuracy=AccuracyObjective(900_000, HERE) if dice.random() < 0.5 else None,  # noqa: PLR2004
        degrade=(*light[:1], Shed(200, HERE)) if dice.random() < 0.7 else (),  # noqa: PLR2004
        priority=int(dice.integers(0, 4)) * 10,
        place=HERE,
    )
    return _with_clauses(service, number, base_us), rate


def _with_clauses(service: Service, number: int, base_us: dict[str, int]) -> Service:
    """The service with what one of `EACH` asks for."""
    first, *others = service.stages
    match number % EACH:
        case 2:
            return replace(service, cost=CostObjective(DEAR_MILLICENTS, 1_000, HERE))
        case 3:
            return replace(service, pools=(PoolsClause((), (), ("orin",), (), True, HERE),))  # noqa: FBT003 - barred
        case 4 | 6 | 7 if others:
            return replace(service, together=(TogetherClause((first.name, others[0].name), Within.SITE, HERE),))
        case 5:
            below_us = LONGEST * base_us[first.model] + PLANE_US
            return replace(
                service, latency=(*service.latency, LatencyObjective(9900, below_us, 300, HERE, stage=first.name))
            )
    return service


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


def _evidence(site: str, number: int) -> list[Evidence]:
    """Three sites of four hold each standard that is asked for, and one of nine what must not be held.

    Those that hold what is asked of health data are attested, all but one of eleven. All but one of five encrypt what
    they store.
    """
    start, end = NOW - timedelta(days=30), NOW + timedelta(days=300)
    held = [standard for at, standard in enumerate(("pci-dss", "hds")) if (number + at) % 4]
    held += ["open-access"] if number % 9 == 4 else []  # noqa: PLR2004
    held += [ENCRYPTED_AT_REST] if number % 5 != 2 else []  # noqa: PLR2004
    said = Evidence("", "site", site, "", (4, 0), "auditor", start, end, HERE)
    found = [replace(said, id=f"{standard}-{site}", standard=standard) for standard in held]
    if "hds" in held and number % 11 != 7:  # noqa: PLR2004
        result = Attestation("verifier", ("tdx",), ("hardware",), (), start)
        found.append(replace(said, id=f"attested-{site}", standard="attestation", attestation=result))
    return found


def _proven(link: Link, number: int) -> list[Evidence]:
    """Somebody vouches for the mutual TLS of all links that have it but one of fifteen."""
    start, end = NOW - timedelta(days=30), NOW + timedelta(days=300)
    if link.encryption is not Encryption.MTLS or number % 15 == 7:  # noqa: PLR2004
        return []
    return [Evidence(f"mtls-{link.name}", "link", link.name, "mtls", (1, 3), "auditor", start, end, HERE)]


def _built(model: Model) -> list[Evidence]:
    """Where a model has a light variant, how the full one was built nobody could tell for one model of seven."""
    start, end = NOW - timedelta(days=30), NOW + timedelta(days=300)
    doubtful = len(model.variants) > 1 and int(model.name[1:]) % 7 == 3  # noqa: PLR2004
    return [
        Evidence(f"slsa-{each.digest}", ARTEFACT, each.digest, SLSA, (3,), "auditor", start, end, HERE)
        for each in model.variants[doubtful:]
    ]


def _full(models: list[Model]) -> PinnedClause:
    """The preferred variant of every model."""
    return PinnedClause(tuple(model.variants[0].digest for model in models), HERE)


def _inside(point: np.ndarray, within: tuple[str, ...]) -> bool:
    return not within or _jurisdictions(point)[0] in within


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
