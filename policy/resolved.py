"""The resolved policy: every reference followed, every default filled in, every quantity an integer.

This is what the rest of Gridwright reads. Each clause that a rule enforces keeps its `Place`, so that a decision can be
explained by the line that asked for it.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Final, TypeVar

from policy.clauses import ComplianceProfile, Scope
from policy.findings import Place
from policy.tiers import Organisation, Team
from policy.windows import Window

WHOLE_PERMILLE: Final = 1000


class Orchestration(StrEnum):
    """Who calls the stages: the origin (each stage is a hop out and back), or each stage the next."""

    ORIGIN = "origin"


class Encryption(StrEnum):
    """How a link protects what crosses it, weakest first."""

    NONE = "none"
    TLS = "tls"
    MTLS = "mtls"

    @property
    def strength(self) -> int:
        """0 for `none`, rising with protection."""
        return list(Encryption).index(self)


class Purchase(StrEnum):
    """How a pool's nodes are paid for; spot nodes are preemptible."""

    ON_DEMAND = "on-demand"
    RESERVED = "reserved"
    SPOT = "spot"
    OWNED = "owned"


@dataclass(frozen=True, slots=True)
class Variant:
    """One artefact of a model. `accuracy_ppm` is parts per million of a perfect score."""

    name: str
    digest: str
    precision: str
    memory_mib: int
    accuracy_ppm: int
    place: Place


@dataclass(frozen=True, slots=True)
class Model:
    """A model and its variants, the preferred one first."""

    name: str
    variants: tuple[Variant, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Stage:
    """One model call of a service. `fanout` calls are made for each request, all at once."""

    name: str
    model: str
    after: tuple[str, ...]
    fanout: int
    payload_bytes: int
    place: Place


@dataclass(frozen=True, slots=True)
class Origin:
    """A site that requests come from, with its share of the service's requests."""

    site: str
    share_permille: int
    place: Place


@dataclass(frozen=True, slots=True)
class LatencyObjective:
    """The percentile (in basis points: 9900 is p99) of the end-to-end latency that must stay below `below_us`.

    It is meant for requests from the site `origin`, or from every origin where that is empty. With a `stage` it is
    meant for what that stage takes, the way there and back included.
    """

    percentile_bp: int
    below_us: int
    window_s: int
    place: Place
    origin: str = ""
    stage: str = ""


@dataclass(frozen=True, slots=True)
class ThroughputObjective:
    """What must be ready to be answered: `rate_milli_rps` all the time, and `burst` requests at once on top of it.

    It is meant for requests from the site `origin`; where that is empty, for those of all origins by their shares.
    """

    rate_milli_rps: int
    burst: int
    origin: str
    place: Place


@dataclass(frozen=True, slots=True)
class AvailabilityObjective:
    """Every stage must run at no fewer than `sites` sites and on no fewer than `nodes` nodes."""

    sites: int
    nodes: int
    place: Place


@dataclass(frozen=True, slots=True)
class AccuracyObjective:
    """The least accuracy that any variant serving the service may have."""

    floor_ppm: int
    place: Place


@dataclass(frozen=True, slots=True)
class CostObjective:
    """The most that the machines of a path may cost that answer so many requests."""

    below_millicents: int
    requests: int
    place: Place


@dataclass(frozen=True, slots=True)
class UseVariant:
    """A degrade step: the named variant of the model may be used, whatever the accuracy objective says."""

    model: str
    variant: str
    place: Place


@dataclass(frozen=True, slots=True)
class Shed:
    """A degrade step: up to this share of the requests may be refused."""

    share_permille: int
    place: Place


DegradeStep = UseVariant | Shed


class Within(StrEnum):
    """What stages that stand together have in common."""

    SITE = "site"
    POOL = "pool"


@dataclass(frozen=True, slots=True)
class PoolsClause:
    """The pools that stages are kept to, or, with `is_barred`, kept from.

    They fit in all respects of which something is said: at one of `sites`, one of `pools`, with one of `devices`.
    `stages` are the stages that are meant, all of them when it is empty.
    """

    sites: tuple[str, ...]
    pools: tuple[str, ...]
    devices: tuple[str, ...]
    stages: tuple[str, ...]
    is_barred: bool
    place: Place

    def admits(self, pool: "Pool") -> bool:
        """Whether a stage that is meant may run in the pool."""
        asked = ((self.sites, pool.site), (self.pools, pool.name), (self.devices, pool.device))
        return all(not names or name in names for names, name in asked) != self.is_barred


@dataclass(frozen=True, slots=True)
class TogetherClause:
    """Stages of which each request uses instances of one site, or of one pool."""

    stages: tuple[str, ...]
    within: Within
    place: Place


@dataclass(frozen=True, slots=True)
class Service:
    """A DAG of model calls with what it promises.

    `expected_rate_milli_rps` is the request rate over all origins that is planned for while nothing has been measured.
    `compliance` is what it asks for itself, which is among the policy's profiles, too.
    """

    name: str
    labels: tuple[tuple[str, str], ...]
    data_classes: tuple[str, ...]
    data_subjects: tuple[str, ...]
    orchestration: Orchestration
    origins: tuple[Origin, ...]
    stages: tuple[Stage, ...]
    expected_rate_milli_rps: int
    latency: tuple[LatencyObjective, ...]
    availability: AvailabilityObjective | None
    accuracy: AccuracyObjective | None
    degrade: tuple[DegradeStep, ...]
    priority: int
    place: Place
    pools: tuple[PoolsClause, ...] = ()
    together: tuple[TogetherClause, ...] = ()
    throughput: tuple[ThroughputObjective, ...] = ()
    cost: CostObjective | None = None
    team: str = ""
    compliance: ComplianceProfile | None = None

    def latency_from(self, origin: str) -> tuple[LatencyObjective, ...]:
        """The objectives of requests from a site."""
        return tuple(objective for objective in self.latency if objective.origin in ("", origin))

    def end_to_end_from(self, origin: str) -> tuple[LatencyObjective, ...]:
        """Those of them that speak of no single stage."""
        return tuple(objective for objective in self.latency_from(origin) if not objective.stage)


@dataclass(frozen=True, slots=True)
class Site:
    """A place with its own failure domain; `jurisdictions` are all that it lies in, such as FR and EU."""

    name: str
    jurisdictions: tuple[str, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Pool:
    """Identical nodes of one site, each with one device; with `dedicated_to`, for the services in that scope alone."""

    name: str
    site: str
    device: str
    nodes: int
    memory_mib: int
    share_permille: int
    price_millicents_per_hour: int
    purchase: Purchase
    place: Place
    dedicated_to: Scope | None = None

    def node_names(self) -> tuple[str, ...]:
        """The pool's nodes: `NAME-0` onwards."""
        return tuple(f"{self.name}-{index}" for index in range(self.nodes))


@dataclass(frozen=True, slots=True)
class Link:
    """What lies between two sites, the same in both directions. `transit` are the jurisdictions that it crosses.

    A round trip takes `rtt_us` on average and scatters by a standard deviation of `jitter_us`.
    """

    a: str
    b: str
    rtt_us: int
    jitter_us: int
    bandwidth_kbps: int
    encryption: Encryption
    transit: tuple[str, ...]
    place: Place
    name: str = ""


@dataclass(frozen=True, slots=True)
class VariantProfile:
    """How one variant behaves on one device.

    `service_us` holds (batch size, time to serve that batch in us), by rising batch size. `share_permille` is the part
    of the device's compute that one instance takes.
    """

    model: str
    variant: str
    service_us: tuple[tuple[int, int], ...]
    share_permille: int
    load_us: int
    place: Place


@dataclass(frozen=True, slots=True)
class DeviceProfile:
    """The profiles of the variants that may run on a device."""

    device: str
    variants: tuple[VariantProfile, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class IssuerKey:
    """A public key; `jwk` are the members of its JWK. `kid` may be empty where it is the only one."""

    kid: str
    jwk: tuple[tuple[str, str], ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Authority:
    """The roots of a SPIFFE trust domain, in PEM.

    Where `needs_crl`, a certificate counts only while a list of revoked ones that covers it is up to date.
    """

    trust_domain: str
    roots: tuple[str, ...]
    needs_crl: bool
    place: Place


@dataclass(frozen=True, slots=True)
class Revoked:
    """What counts no more: a statement by its `jti` or by its digest, or any of the artefact with a digest.

    `kind` is "jti", "statement" or "artefact"; digests are written sha256:….
    """

    kind: str
    name: str
    place: Place


@dataclass(frozen=True, slots=True)
class Issuer:
    """Whose signed statements count, and for what.

    `iss` is what statements call the issuer. It is believed of `standards` alone, held by `sites`, `pools`,
    `links` and the variants of `models` alone, whose artefacts have `digests`.
    Without an `audience` statements have none; statements older than `max_age_s` do not count (0 for any age).
    """

    name: str
    iss: str
    algorithms: tuple[str, ...]
    keys: tuple[IssuerKey, ...]
    standards: tuple[str, ...]
    sites: tuple[str, ...]
    pools: tuple[str, ...]
    audience: str
    max_age_s: int
    place: Place
    models: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    revoked: tuple[Revoked, ...] = ()
    authority: Authority | None = None
    links: tuple[str, ...] = ()

    def may_speak_of(self, kind: str) -> tuple[str, ...]:
        """The subjects of a kind, "site", "pool" or "link", that it is believed about; KeyError for another."""
        return {"site": self.sites, "pool": self.pools, "link": self.links}[kind]


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The most that nodes may cost an hour, over the whole fleet (`site` empty) or at one site."""

    site: str
    millicents_per_hour: int
    place: Place


@dataclass(frozen=True, slots=True)
class CostPolicy:
    """Ceilings, and what starting one instance is worth avoiding."""

    name: str
    ceilings: tuple[Ceiling, ...]
    start_millicents: int
    place: Place


@dataclass(frozen=True, slots=True)
class ReplicaBound:
    """How many instances of a model may run, over the whole fleet (`site` empty) or at one site."""

    model: str
    site: str
    minimum: int
    maximum: int
    place: Place


@dataclass(frozen=True, slots=True)
class ScalingPolicy:
    """How fast the fleet may change, and how far readings may be trusted.

    `headroom_permille` is capacity kept above the measured rate. Placements are left `evidence_lead_s` before the
    evidence behind them ends. At most `step_share_permille` of a model's instances in a pool go in one step, and none
    within `cooldown_s` of its last start there; in a freeze nothing goes that is still allowed.
    """

    name: str
    interval_s: int
    headroom_permille: int
    cooldown_s: int
    step_share_permille: int
    stale_after_s: int
    evidence_lead_s: int
    bounds: tuple[ReplicaBound, ...]
    place: Place
    freezes: tuple[Window, ...] = ()


@dataclass(frozen=True, slots=True)
class Maintenance:
    """When all pools of `sites`, and those of `pools`, serve nobody."""

    name: str
    sites: tuple[str, ...]
    pools: tuple[str, ...]
    window: Window
    place: Place


Named = TypeVar("Named", Model, Pool, Service, Site)


@dataclass(frozen=True)
class Policy:
    """Everything that the documents say. `revision` is the digest of their contents.

    `commit` is the id of the git commit that they are from; empty where they are from elsewhere.
    """

    revision: str
    services: tuple[Service, ...]
    models: tuple[Model, ...]
    sites: tuple[Site, ...]
    pools: tuple[Pool, ...]
    links: tuple[Link, ...]
    devices: tuple[DeviceProfile, ...]
    compliance: tuple[ComplianceProfile, ...]
    cost: CostPolicy
    scaling: ScalingPolicy
    documents: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    issuers: tuple[Issuer, ...] = ()
    maintenance: tuple[Maintenance, ...] = ()
    organisation: Organisation | None = None
    teams: tuple[Team, ...] = ()
    commit: str = ""

    def model(self, name: str) -> Model:
        """The model of that name; KeyError when there is none."""
        return self._models[name]

    def pool(self, name: str) -> Pool:
        """The pool of that name; KeyError when there is none."""
        return self._pools[name]

    def service(self, name: str) -> Service:
        """The service of that name; KeyError when there is none."""
        return self._services[name]

    def site(self, name: str) -> Site:
        """The site of that name; KeyError when there is none."""
        return self._sites[name]

    def link(self, one: str, other: str) -> Link | None:
        """The link between two sites, whichever way round it is written; None when no document tells of one."""
        return self._links.get(frozenset((one, other)))

    @cached_property
    def _models(self) -> dict[str, Model]:
        return by_name(self.models)

    @cached_property
    def _pools(self) -> dict[str, Pool]:
        return by_name(self.pools)

    @cached_property
    def _services(self) -> dict[str, Service]:
        return by_name(self.services)

    @cached_property
    def _sites(self) -> dict[str, Site]:
        return by_name(self.sites)

    @cached_property
    def _links(self) -> dict[frozenset[str], Link]:
        return {frozenset((link.a, link.b)): link for link in reversed(self.links)}


def by_name(items: tuple[Named, ...]) -> dict[str, Named]:
    """The first item of each name."""
    return {item.name: item for item in reversed(items)}
