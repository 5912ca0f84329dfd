"""A small fleet to plan for: two edges, one cloud region, a pipeline that handles card data and a voice service.

`World` plays the part of the real fleet between decisions: what a decision asks for is what the next snapshot shows.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from collectors.evidence.records import Evidence
from collectors.snapshot import LoadedModel, ModelState, Offered, Rate, Reading, Server, ServerState, Snapshot
from controller.decision import Decision, State
from controller.loop.remembering import remembered
from controller.planning.decide import decide
from policy.clauses import ComplianceProfile, LinkSecurityClause, ResidencyClause, Scope
from policy.findings import Place
from policy.resolved import (
    AccuracyObjective,
    AvailabilityObjective,
    Ceiling,
    CostPolicy,
    DeviceProfile,
    Encryption,
    LatencyObjective,
    Link,
    Model,
    Orchestration,
    Origin,
    Policy,
    Pool,
    Purchase,
    ScalingPolicy,
    Service,
    Shed,
    Site,
    Stage,
    UseVariant,
    Variant,
    VariantProfile,
)
from tests.rules.build import asks

START = datetime(2026, 5, 4, 12, tzinfo=UTC)
PARIS, LYON, FRANKFURT = "edge-paris", "edge-lyon", "cloud-frankfurt"
POOLS = (PARIS, LYON, FRANKFURT)
OCR, VAD = "receipt-ocr", "call-vad"
LATENCY_LINE, AVAILABILITY_LINE, PCI_LINE, BUDGET_LINE = 10, 11, 30, 40
CALM = {(OCR, PARIS): 1200, (OCR, LYON): 800, (VAD, PARIS): 6000, (VAD, LYON): 6000}
BUSY = {key: 10 * rate for key, rate in CALM.items()}


def line(number: int) -> Place:
    return Place("policy.yaml", number, 1)


def model(name: str, *variants: tuple[str, int, int]) -> Model:
    found = (Variant(v, f"sha256:{name}-{v}", v, memory, accuracy, line(1)) for v, memory, accuracy in variants)
    return Model(name, tuple(found), line(1))


def device(name: str, speedup: int, shares: dict[tuple[str, str], tuple[int, int]]) -> DeviceProfile:
    profiles = [
        VariantProfile(
            m,
            v,
            ((1, us // speedup), (2, us * 3 // 2 // speedup), (4, us * 12 // 5 // speedup)),
            share,
            2_000_000,
            line(1),
        )
        for (m, v), (us, share) in shares.items()
    ]
    return DeviceProfile(name, tuple(profiles), line(1))


def link(a: str, b: str, rtt_us: int, *transit: str) -> Link:
    return Link(a, b, rtt_us, 0, 1_000_000, Encryption.MTLS, transit, line(1))


EDGE = {
    ("det", "fp32"): (120_000, 300),
    ("cls", "fp32"): (15_000, 100),
    ("rec", "fp32"): (90_000, 250),
    ("vad", "fp32"): (6_000, 100),
    ("vad", "half"): (4_000, 60),
}
CLOUD = {key: (us, share * 3 // 5) for key, (us, share) in EDGE.items()}

RECEIPT_OCR = Service(
    name=OCR,
    labels=(),
    data_classes=("cardholder",),
    data_subjects=("EU",),
    orchestration=Orchestration.ORIGIN,
    origins=(Origin(PARIS, 600, line(1)), Origin(LYON, 400, line(1))),
    stages=(
        Stage("detect", "det", (), 1, 180_000, line(1)),
        Stage("orient", "cls", ("detect",), 2, 40_000, line(1)),
        Stage("read", "rec", ("orient",), 2, 40_000, line(1)),
    ),
    expected_rate_milli_rps=2_000,
    latency=(LatencyObjective(9900, 1_200_000, 300, line(LATENCY_LINE)),),
    availability=AvailabilityObjective(2, 2, line(AVAILABILITY_LINE)),
    accuracy=None,
    degrade=(Shed(200, line(1)),),
    priority=100,
    place=line(1),
)
CALL_VAD = Service(
    name=VAD,
    labels=(),
    data_classes=("voice",),
    data_subjects=(),
    orchestration=Orchestration.ORIGIN,
    origins=(Origin(PARIS, 500, line(2)), Origin(LYON, 500, line(2))),
    stages=(Stage("listen", "vad", (), 1, 2_000, line(2)),),
    expected_rate_milli_rps=12_000,
    latency=(LatencyObjective(9900, 120_000, 300, line(20)),),
    availability=None,
    accuracy=AccuracyObjective(900_000, line(21)),
    degrade=(UseVariant("vad", "half", line(22)), Shed(300, line(23))),
    priority=50,
    place=line(2),
)
POLICY = Policy(
    revision="first",
    services=(RECEIPT_OCR, CALL_VAD),
    models=(
        model("det", ("fp32", 600, 950_000)),
        model("cls", ("fp32", 200, 950_000)),
        model("rec", ("fp32", 500, 950_000)),
        model("vad", ("fp32", 100, 950_000), ("half", 60, 890_000)),
    ),
    sites=(
        Site(PARIS, ("FR", "EU"), line(1)),
        Site(LYON, ("FR", "EU"), line(1)),
        Site(FRANKFURT, ("DE", "EU"), line(1)),
    ),
    pools=(
        Pool(PARIS, PARIS, "edge-gpu", 1, 8_192, 1_000, 5_000, Purchase.OWNED, line(1)),
        Pool(LYON, LYON, "edge-gpu", 1, 8_192, 1_000, 5_000, Purchase.OWNED, line(1)),
        Pool(FRANKFURT, FRANKFURT, "cloud-gpu", 3, 16_384, 1_000, 120_000, Purchase.ON_DEMAND, line(1)),
    ),
    links=(
        link(PARIS, LYON, 8_000, "FR"),
        link(PARIS, FRANKFURT, 12_000, "FR", "DE"),
        link(LYON, FRANKFURT, 18_000, "FR", "DE"),
    ),
    devices=(device("edge-gpu", 1, EDGE), device("cloud-gpu", 2, CLOUD)),
    compliance=(
        ComplianceProfile(
            "eu-cardholder",
            Scope(classes=("cardholder",)),
            (asks("pci-dss", (4,), line(PCI_LINE)),),
            (),
            ResidencyClause(("EU", "FR", "DE"), line(31)),
            LinkSecurityClause(Encryption.MTLS, line(32)),
            None,
            line(29),
        ),
    ),
    cost=CostPolicy("cost", (Ceiling("", 500_000, line(BUDGET_LINE)),), 100, line(39)),
    scaling=ScalingPolicy("scaling", 5, 200, 20, 500, 15, 20, (), line(50)),
)


def pci(site: str, until: datetime) -> Evidence:
    return Evidence(f"pci-{site}", "site", site, "pci-dss", (4, 0), "qsa", START - timedelta(days=1), until, line(1))


@dataclass
class World:
    """The fleet as it would look if every decision were carried out at once."""

    policy: Policy = POLICY
    now: datetime = START
    state: State = field(default_factory=State)
    servers: dict[str, tuple[LoadedModel, ...] | None] = field(default_factory=lambda: dict.fromkeys(POOLS, ()))
    rates: dict[tuple[str, str], int] = field(default_factory=lambda: dict(CALM))
    rates_at: datetime | None = None
    certified: dict[str, datetime] = field(
        default_factory=lambda: {site: START + timedelta(days=900) for site in (PARIS, FRANKFURT)}
    )
    stuck: tuple[str, ...] = ()

    def snapshot(self) -> Snapshot:
        return Snapshot(
            self.now,
            servers=tuple(
                Server(pool, Reading(None if models is None else ServerState(models), self.now, "test"))
                for pool, models in self.servers.items()
            ),
            offered=tuple(
                Offered(service, origin, Reading(Rate(rate, 100, 10.0), self.rates_at or self.now, "gateway"))
                for (service, origin), rate in self.rates.items()
            ),
            evidence=tuple(pci(site, until) for site, until in self.certified.items()),
            stuck=self.stuck,
        )

    def turn(self, seconds: int = 30) -> Decision:
        """Let time pass, decide, and have the decision carried out."""
        decision = self._decided(seconds)
        self.state = decision.state
        for pool, models in self.servers.items():
            if models is not None:
                self.servers[pool] = tuple(
                    LoadedModel(
                        p.model, p.variant, ModelState.READY, load.instances, load.max_batch, load.queue_delay_us
                    )
                    for load in decision.fleet.loads
                    if (p := load.placement).pool == pool
                )
        return decision

    def refused_turn(self, seconds: int = 30) -> Decision:
        """As `turn`, but nothing of the decision is carried out."""
        decision = self._decided(seconds)
        self.state = remembered(self.state, decision, ())
        return decision

    def _decided(self, seconds: int) -> Decision:
        self.now += timedelta(seconds=seconds)
        return decide(self.policy, self.snapshot(), self.state, self.now)

    def rest(self, turns: int = 8) -> Decision:
        """Turns until one has nothing to do: then the findings are complete."""
        for _ in range(turns):
            decision = self.turn()
            if not decision.transition.waves:
                return decision
        raise AssertionError("the fleet does not come to rest")

    def certification_ends(self, site: str, seconds: int) -> None:
        self.certified[site] = self.now + timedelta(seconds=seconds)

    def budget(self, millicents_per_hour: int) -> None:
        ceiling = Ceiling("", millicents_per_hour, line(BUDGET_LINE))
        self.policy = replace(
            self.policy, cost=replace(self.policy.cost, ceilings=(ceiling,)), revision=f"budget {millicents_per_hour}"
        )


def pools_of(decision: Decision, service: str) -> set[str]:
    """The pools that any stage of the service is routed to."""
    return {
        placement.pool
        for routes in decision.fleet.routes
        if routes.service == service
        for way in routes.ways
        for placement in way.placements
    }


def finding_ids(decision: Decision) -> set[str]:
    return {finding.id for finding in decision.findings}
