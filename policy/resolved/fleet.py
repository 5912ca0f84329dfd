"""Where models may stand: sites, pools of nodes, and the links between sites."""

from dataclasses import dataclass
from enum import StrEnum

from policy.clauses import Scope
from policy.findings import Place
from policy.resolved.encodings import Encoding, Fidelity
from policy.windows import Window


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
class Site:
    """A place with its own failure domain; `jurisdictions` are all that it lies in, such as FR and EU."""

    name: str
    jurisdictions: tuple[str, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Pool:
    """Identical nodes of one site, each with one device; with `dedicated_to`, for the services in that scope alone.

    They stand in `racks` by turns. Where none are named, all nodes of a site are taken to share one. `names` are those
    of the nodes where a cluster has told them.
    """

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
    racks: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    def rack(self, index: int) -> str:
        """The rack of the node of that index; empty where none is named."""
        return self.racks[index % len(self.racks)] if self.racks else ""

    def node_names(self) -> tuple[str, ...]:
        """The pool's nodes: `NAME-0` onwards where nobody has told their names."""
        return self.names or tuple(f"{self.name}-{index}" for index in range(self.nodes))

    def node_subjects(self) -> tuple[str, ...]:
        """What evidence calls the nodes, `POOL/NODE`: what is said of a pool's node is said of no other pool's."""
        return tuple(f"{self.name}/{node}" for node in self.node_names())


@dataclass(frozen=True, slots=True)
class Egress:
    """What a GiB costs that leaves a site over a link."""

    site: str
    millicents_per_gib: int
    place: Place


@dataclass(frozen=True, slots=True)
class Link:
    """What lies between two sites, the same in both directions but for its price.

    A round trip takes `rtt_us` on average and scatters by a standard deviation of `jitter_us`. `transit` are the
    jurisdictions that it crosses, `egress` the prices of what leaves either site over it; one of which nothing is said
    is left for nothing. Payloads may cross it packed by `compressions`, and lowered to `precisions`.
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
    egress: tuple[Egress, ...] = ()
    compressions: tuple[str, ...] = ()
    precisions: tuple[str, ...] = ()

    def admits(self, encoding: Encoding) -> bool:
        """Whether payloads may cross the link in an encoding."""
        admitted = self.precisions if encoding.fidelity is Fidelity.LOWERED else self.compressions
        return encoding.format in admitted

    def egress_from(self, site: str) -> int:
        """Millicents for each GiB that leaves a site over the link."""
        return sum(each.millicents_per_gib for each in self.egress if each.site == site)


@dataclass(frozen=True, slots=True)
class Maintenance:
    """When all pools of `sites`, and those of `pools`, serve nobody."""

    name: str
    sites: tuple[str, ...]
    pools: tuple[str, ...]
    window: Window
    place: Place
