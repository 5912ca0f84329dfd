"""Tiny problems, said in few words: `Fleet().site(...).pool(...)`, each step a new value."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Self

from policy.clauses import CertificationClause, Comparison, ComplianceProfile, Scope, Standard, VersionBound
from policy.findings import Place
from policy.resolved import (
    CostPolicy,
    Egress,
    Encryption,
    Link,
    Model,
    Orchestration,
    Policy,
    Pool,
    Purchase,
    ScalingPolicy,
    Service,
    Site,
    Stage,
    Variant,
)
from rules.kernel.evidence import Attested, Held, Vouched
from rules.kernel.plan import Degraded, Instances, Plan, Route, Unserved
from rules.kernel.problem import Demand, Floor, Node, Option, Path, Placement, Problem, Running

NOW_S: Final = 1000
NEEDED_UNTIL_S: Final = 2000


def asks(standard: str, least: tuple[int, ...], place: Place) -> CertificationClause:
    """A clause that asks for a standard in this version or a later one; in any for ()."""
    bounds = (VersionBound(Comparison.AT_LEAST, least),) if least else ()
    return CertificationClause((Standard(standard, bounds),), place)


def at(line: int) -> Place:
    """A place that a test can tell from others."""
    return Place("policy.yaml", line, 3)


COST: Final = CostPolicy("cost", ceilings=(), start_millicents=0, place=at(80))
SCALING: Final = ScalingPolicy("scaling", 5, 0, 0, 1000, 15, 0, bounds=(), place=at(90))
NO_POLICY: Final = Policy("r1", (), (), (), (), (), (), (), COST, SCALING)
NOTHING: Final = Problem(NO_POLICY, NOW_S, NEEDED_UNTIL_S, (), (), (), (), (), (), ())


def stage(name: str, model: str, fanout: int = 1) -> Stage:
    """A stage; what it follows matters to no rule."""
    return Stage(name, model, (), fanout, 1000, at(1))


@dataclass(frozen=True)
class Fleet:
    """A problem in the making."""

    problem: Problem = NOTHING

    def _with(self, **changed: Any) -> Self:
        return replace(self, problem=replace(self.problem, **changed))

    def _policy(self, **changed: Any) -> Self:
        return self._with(policy=replace(self.problem.policy, **changed))

    def site(self, name: str, *jurisdictions: str) -> Self:
        """A site that lies in these jurisdictions."""
        return self._policy(sites=(*self.problem.policy.sites, Site(name, jurisdictions, at(20))))

    def pool(
        self,
        name: str,
        site: str,
        nodes: int = 1,
        line: int = 30,
        purchase: Purchase = Purchase.OWNED,
        **numbers: int,
    ) -> Self:
        """A pool with all its nodes usable: 1000 MiB and 1000 permille a node, free of charge unless said."""
        own = {"memory_mib": 1000, "share_permille": 1000, "price_millicents_per_hour": 0} | numbers
        pool = Pool(name, site, "device", nodes, purchase=purchase, place=at(line), **own)
        usable = (*self.problem.nodes, *(Node(node, name) for node in pool.node_names()))
        policy = replace(self.problem.policy, pools=(*self.problem.policy.pools, pool))
        return self._with(policy=policy, nodes=usable)

    def link(self, a: str, b: str, encryption: Encryption = Encryption.MTLS, *transit: str, **egress: int) -> Self:
        """A link between two sites, with what a GiB costs that leaves one of them in millicents."""
        prices = tuple(Egress(site, price, at(41)) for site, price in egress.items())
        link = Link(a, b, 8000, 0, 100_000, encryption, transit, at(40), f"{a}-{b}", prices)
        return self._policy(links=(*self.problem.policy.links, link))

    def service(self, name: str, *stages: Stage, **clauses: Any) -> Self:
        """A service that promises nothing but these clauses."""
        nothing = {"latency": (), "availability": None, "accuracy": None, "degrade": ()}
        nothing |= {"labels": (), "data_classes": (), "data_subjects": (), "priority": 1}
        service = Service(
            name=name,
            orchestration=Orchestration.ORIGIN,
            origins=(),
            stages=stages,
            expected_rate_milli_rps=1000,
            place=at(10),
            **(nothing | clauses),
        )
        return self._policy(services=(*self.problem.policy.services, service))

    def demand(self, service: str, origin: str, rate_milli_rps: int = 1000) -> Self:
        """A demand named SERVICE@ORIGIN."""
        demand = Demand(f"{service}@{origin}", service, origin, rate_milli_rps)
        return self._with(demands=(*self.problem.demands, demand))

    def option(self, name: str, model: str, pool: str, variant: str = "fp32", **numbers: int) -> Self:
        """An option of the size 1 MiB and 1 permille with plenty of capacity, unless said."""
        own = {"capacity_milli_rps": 1_000_000, "memory_mib": 1, "share_permille": 1, "accuracy_ppm": 900_000} | numbers
        own = {"max_batch": 1, "queue_delay_us": 0, "load_permille": 700, "load_us": 0} | own
        option = Option(name, Placement(model, variant, pool), **own)
        return self._with(options=(*self.problem.options, option))

    def path(
        self,
        name: str,
        demand: str,
        *options: str,
        latency_us: tuple[tuple[int, int], ...] = ((9900, 1),),
        **stages_us: tuple[tuple[int, int], ...],
    ) -> Self:
        """A path through one option a stage, with what is predicted of single stages."""
        path = Path(name, demand, options, latency_us, tuple(stages_us.items()))
        return self._with(paths=(*self.problem.paths, path))

    def profile(self, name: str, **clauses: Any) -> Self:
        """A compliance profile for data of the class `card`."""
        nothing = {
            "scope": Scope(classes=("card",)),
            "certifications": (),
            "forbidden": (),
            "residency": None,
            "link_security": None,
            "purchase": None,
            "attestation": None,
            "provenance": (),
            "link_evidence": None,
            "storage": None,
            "pinned": None,
        }
        profile = ComplianceProfile(name, place=at(50), **(nothing | clauses))
        return self._policy(compliance=(*self.problem.policy.compliance, profile))

    def held(
        self, kind: str, subject: str, version: tuple[int, ...], from_s: int, until_s: int, *, standard: str = "pci-dss"
    ) -> Self:
        """A certification that a site or a pool holds."""
        held = Held(kind, subject, standard, version, from_s, until_s)
        return self._with(certifications=(*self.problem.certifications, held))

    def attested(self, kind: str, subject: str, from_s: int, until_s: int, **said: Any) -> Self:
        """What a verifier affirmed of a site or a pool, at the first second unless said."""
        own = {"verifier": "trustee", "tees": ("sev-snp",), "claims": ("hardware",), "devices": ()}
        result = Attested(kind, subject, from_s=from_s, until_s=until_s, **(own | {"appraised_s": from_s} | said))
        return self._with(attestations=(*self.problem.attestations, result))

    def model(self, name: str, **digests: str) -> Self:
        """A model, with the digest of each of its variants."""
        variants = (Variant(each, digest, "fp32", 1, 900_000, at(60)) for each, digest in digests.items())
        return self._policy(models=(*self.problem.policy.models, Model(name, tuple(variants), at(60))))

    def vouched(self, digest: str, from_s: int, until_s: int, **said: Any) -> Self:
        """What the signer `releases` says of an artefact: that it was built at SLSA's level 3, unless said."""
        own = {"signer": "releases", "standard": "slsa", "version": (3,)}
        each = Vouched(digest, from_s=from_s, until_s=until_s, **(own | said))
        return self._with(provenances=(*self.problem.provenances, each))

    def cost(self, **changed: Any) -> Self:
        """Another cost policy."""
        return self._policy(cost=replace(self.problem.policy.cost, **changed))

    def scaling(self, **changed: Any) -> Self:
        """Another scaling policy."""
        return self._policy(scaling=replace(self.problem.policy.scaling, **changed))

    def running(self, placement: Placement, node: str, count: int) -> Self:
        """Instances that run."""
        return self._with(running=(*self.problem.running, Running(placement, node, count)))

    def floor(self, placement: Placement, minimum: int, reason: str) -> Self:
        """A placement that may not shrink."""
        return self._with(floors=(*self.problem.floors, Floor(placement, minimum, reason)))


def two_sites(rate_milli_rps: int = 1000, **clauses: Any) -> Fleet:
    """A service `ocr` of one stage, asked for in Paris; path `near` stays there, path `far` goes to Lyon."""
    return one_service(two_places(), rate_milli_rps, **clauses)


def two_places() -> Fleet:
    """Pool `edge` in Paris and pool `cloud` in Lyon, a node each, linked by mutual TLS."""
    places = Fleet().site("paris", "FR", "EU").site("lyon", "FR", "EU").link("lyon", "paris")
    return places.pool("edge", "paris", line=31).pool("cloud", "lyon", line=32)


def one_service(fleet: Fleet, rate_milli_rps: int = 1000, **clauses: Any) -> Fleet:
    """A service `ocr` of card data with one stage `read`, an option and a path in each of `edge` and `cloud`."""
    fleet = fleet.service("ocr", stage("read", "rec"), **({"data_classes": ("card",)} | clauses))
    fleet = (
        fleet.demand("ocr", "paris", rate_milli_rps)
        .option("rec@edge", "rec", "edge")
        .option("rec@cloud", "rec", "cloud")
    )
    return fleet.path("near", "ocr@paris", "rec@edge").path("far", "ocr@paris", "rec@cloud")


def plan(
    stand: Mapping[tuple[str, str], int],
    send: Mapping[str, int] | None = None,
    refuse: Mapping[str, int] | None = None,
    levels: Mapping[str, int] | None = None,
) -> Plan:
    """A plan: instances by (option, node), shares by path, refused shares by demand, levels by service."""
    return Plan(
        instances=tuple(Instances(option, node, count) for (option, node), count in stand.items()),
        routes=tuple(Route(path, share) for path, share in (send or {}).items()),
        unserved=tuple(Unserved(demand, share) for demand, share in (refuse or {}).items()),
        degraded=tuple(Degraded(service, level) for service, level in (levels or {}).items()),
    )
