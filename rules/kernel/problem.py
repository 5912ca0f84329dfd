"""The placement problem as rules and engines see it: integers with their unit in the name, no clock, no I/O."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, NamedTuple

from policy.clauses import ComplianceProfile
from policy.data_flow import Data, handled
from policy.resolved import LatencyObjective, Link, Policy, Pool, Service, Site, Stage
from rules.kernel.evidence import Attested, Held, Vouched
from rules.kernel.removals import removed

WHOLE_PERMILLE: Final = 1000
"""All of a demand: the shares of its routes and what is left unserved sum to this."""


@dataclass(frozen=True, slots=True, order=True)
class Placement:
    """A variant on a pool: what a server there loads, whatever its setting."""

    model: str
    variant: str
    pool: str

    def __str__(self) -> str:
        return f"{self.model}/{self.variant}@{self.pool}"


class Option(NamedTuple):
    """A placement with one setting: what can be bought.

    `capacity_milli_rps` is what one instance may be given so that the stage latency behind the paths' predictions
    holds; it belongs to the utilisation `load_permille`.
    """

    id: str
    placement: Placement
    max_batch: int
    queue_delay_us: int
    load_permille: int
    capacity_milli_rps: int
    memory_mib: int
    share_permille: int
    accuracy_ppm: int
    load_us: int


@dataclass(frozen=True, slots=True)
class Demand:
    """What one origin asks of one service. `rate_milli_rps` is planned for: forecast and headroom are in it."""

    id: str
    service: str
    origin: str
    rate_milli_rps: int


class Path(NamedTuple):
    """A route of a demand: an option's id for each stage, in the order of the service's stages.

    `latency_us` holds (percentile in basis points, predicted end-to-end latency), by rising percentile, network
    included; `stage_latency_us` the same for each stage of which an objective speaks. `first_us` is the time until the
    response begins, of such stages and, under an empty name, of the whole path where an objective speaks of it.
    `encodings` has by stage in which encoding its input is sent, empty for as it is; () where that holds of all.
    """

    id: str
    demand: str
    options: tuple[str, ...]
    latency_us: tuple[tuple[int, int], ...]
    stage_latency_us: tuple[tuple[str, tuple[tuple[int, int], ...]], ...] = ()
    first_us: tuple[tuple[str, tuple[tuple[int, int], ...]], ...] = ()
    encodings: tuple[str, ...] = ()

    def encoding(self, stage: int) -> str:
        """In which encoding the input of the stage at that place is sent; empty for as it is."""
        return self.encodings[stage] if self.encodings else ""

    def latency_at_us(self, percentile_bp: int, stage: str = "", *, of_first: bool = False) -> int:
        """The predicted latency at the least percentile known that is not below the asked one; else the highest.

        Of the whole path, or of one stage, until its response ends or begins; KeyError when that is not predicted.
        """
        if of_first:
            known_us = dict(self.first_us)[stage]
        else:
            known_us = dict(self.stage_latency_us)[stage] if stage else self.latency_us
        for known_bp, value_us in known_us:
            if known_bp >= percentile_bp:
                return value_us
        return known_us[-1][1]

    def promised_us(self, objective: LatencyObjective) -> int:
        """The predicted latency of which an objective speaks."""
        return self.latency_at_us(objective.percentile_bp, objective.stage, of_first=objective.of_first)


@dataclass(frozen=True, slots=True)
class Node:
    """A usable node of a pool.

    It has a server of its own, or its pool has one for all of its nodes; no rule goes by which.
    """

    name: str
    pool: str
    own_server: bool = field(default=False, repr=False)  # questions are told apart by what a node is written as


@dataclass(frozen=True, slots=True, order=True)
class Running:
    """Instances that run, or are on their way, on a node."""

    placement: Placement
    node: str
    count: int


@dataclass(frozen=True, slots=True)
class Floor:
    """A placement that may not fall below `minimum` instances in this step, and why."""

    placement: Placement
    minimum: int
    reason: str


@dataclass(frozen=True, slots=True)
class Assured:
    """What a service does not fall below for the sake of services that do not preempt.

    It is at degrade level `level` at the most, and of each of its demands no more goes unserved than is told here.
    """

    service: str
    level: int
    unserved_permille: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Problem:
    """One instant's question. Everything placed must stay allowed from `now_s` until `needed_until_s` (Unix time).

    `asleep` are the demands of services that scaled to zero: nothing is planned for them, and their gateways refuse.
    `barred` are paths of which it is known already that something excludes them: nothing can move there.
    `begun` are instances of which it is not known yet whether they stand, beside fewer that run: room is kept for them.
    `overfull` are nodes that hold more than fits of what cannot be taken away now: they may go on holding what they do.
    What requests go over until a plan is reached has to last for `passing_s` at least, however soon it is to be.
    """

    policy: Policy
    now_s: int
    needed_until_s: int
    demands: tuple[Demand, ...]
    options: tuple[Option, ...]
    paths: tuple[Path, ...]
    nodes: tuple[Node, ...]
    certifications: tuple[Held, ...]
    running: tuple[Running, ...]
    floors: tuple[Floor, ...]
    attestations: tuple[Attested, ...] = ()
    provenances: tuple[Vouched, ...] = ()
    assured: tuple[Assured, ...] = ()
    asleep: tuple[Demand, ...] = ()
    barred: frozenset[str] = frozenset()
    overfull: frozenset[str] = frozenset()
    passing_s: int = 0
    begun: tuple[Running, ...] = ()

    @cached_property
    def _options(self) -> dict[str, Option]:
        return {option.id: option for option in self.options}

    @cached_property
    def _paths(self) -> dict[str, Path]:
        return {path.id: path for path in self.paths}

    @cached_property
    def _by_demand(self) -> dict[str, tuple[Path, ...]]:
        found: defaultdict[str, list[Path]] = defaultdict(list)
        for path in self.paths:
            found[path.demand].append(path)
        return {demand: tuple(paths) for demand, paths in found.items()}

    @cached_property
    def _demands(self) -> dict[str, Demand]:
        return {demand.id: demand for demand in self.demands}

    @cached_property
    def _sites(self) -> dict[str, str]:
        return {pool.name: pool.site for pool in reversed(self.policy.pools)}

    @cached_property
    def _racks(self) -> dict[str, tuple[str, str]]:
        found = {}
        for pool in self.policy.pools:
            more = (node.name for node in self.nodes_of(pool.name))  # of which the policy need not know
            for index, name in enumerate(dict.fromkeys((*pool.node_names(), *more))):
                found[name] = pool.site, pool.rack(index)
        return found

    @cached_property
    def _digests(self) -> dict[tuple[str, str], str]:
        return {(model.name, each.name): each.digest for model in self.policy.models for each in model.variants}

    @cached_property
    def _handled(self) -> dict[str, dict[str, Data]]:
        return {each.name: handled(each, removed(self, each)) for each in reversed(self.policy.services)}

    @cached_property
    def _covered(self) -> dict[tuple[int, str], tuple[ComplianceProfile, tuple[Stage, ...]]]:
        """What was asked for already, by the identity of the profile, which is long to hash, and by service."""
        return {}

    @cached_property
    def _nodes(self) -> dict[str, tuple[Node, ...]]:
        found: defaultdict[str, list[Node]] = defaultdict(list)
        for node in self.nodes:
            found[node.pool].append(node)
        return {pool: tuple(nodes) for pool, nodes in found.items()}

    @cached_property
    def _own_servers(self) -> frozenset[str]:
        return frozenset(node.name for node in self.nodes if node.own_server)

    @cached_property
    def _by_model(self) -> dict[str, tuple[Option, ...]]:
        found: defaultdict[str, list[Option]] = defaultdict(list)
        for option in self.options:
            found[option.placement.model].append(option)
        return {model: tuple(options) for model, options in found.items()}

    @cached_property
    def _taken(self) -> dict[str, tuple[tuple[str, ...], ...]]:
        found: dict[str, list[dict[str, None]]] = {}
        for demand in self.demands:
            found.setdefault(demand.service, [{} for _ in self.service_of(demand).stages])
        stages_of = {demand.id: found[demand.service] for demand in self.demands}
        for path in self.paths:
            for stage, option in zip(stages_of[path.demand], path.options, strict=True):
                stage[option] = None
        return {service: tuple(map(tuple, stages)) for service, stages in found.items()}

    @cached_property
    def expected(self) -> tuple[Demand, ...]:
        """The demands, and one without requests of every other origin that a service names.

        Nothing is asked there now: the service sleeps, or the origin's site is cut off.
        """
        known = {(demand.service, demand.origin) for demand in self.demands}
        others = (
            Demand(f"{service.name}@{origin.site}", service.name, origin.site, 0)
            for service in self.policy.services
            for origin in service.origins
            if (service.name, origin.site) not in known
        )
        return (*self.demands, *others)

    def option(self, option_id: str) -> Option:
        """The option of that id; KeyError when there is none."""
        return self._options[option_id]

    def path(self, path_id: str) -> Path:
        """The path of that id; KeyError when there is none."""
        return self._paths[path_id]

    def has_path(self, path_id: str) -> bool:
        """Whether there is a path of that id."""
        return path_id in self._paths

    def paths_of(self, demand_id: str) -> tuple[Path, ...]:
        """The paths of a demand."""
        return self._by_demand.get(demand_id, ())

    def demand(self, demand_id: str) -> Demand:
        """The demand of that id; KeyError when there is none."""
        return self._demands[demand_id]

    def service_of(self, demand: Demand) -> Service:
        """The service that a demand belongs to."""
        return self.policy.service(demand.service)

    def pool_of(self, option: Option) -> Pool:
        """The pool that an option's instances stand in."""
        return self.policy.pool(option.placement.pool)

    def digest_of(self, placement: Placement) -> str:
        """The digest of the variant that a placement loads; empty where no document declares it."""
        return self._digests.get((placement.model, placement.variant), "")

    def covered(self, profile: ComplianceProfile, service: Service) -> tuple[Stage, ...]:
        """The stages of a service that a profile covers at any second until the plan is no longer needed."""
        known = self._covered.get((id(profile), service.name))
        if known is None or known[0] is not profile:
            known = profile, profile.covered(service, self._handled[service.name])
            self._covered[id(profile), service.name] = known
        return known[1]

    def site_of(self, option: Option) -> str:
        """The site that an option's instances stand at."""
        return self._sites[option.placement.pool]

    def rack_of(self, node: str) -> tuple[str, str]:
        """The site and the rack that a node stands in; the rack is empty where none is named."""
        return self._racks[node]

    def site(self, name: str) -> Site:
        """The site of that name; KeyError when there is none."""
        return self.policy.site(name)

    def link(self, one: str, other: str) -> Link | None:
        """The link between two sites, whichever way round it is written; None when no document tells of one."""
        return self.policy.link(one, other)

    def nodes_of(self, pool: str) -> tuple[Node, ...]:
        """The usable nodes of a pool."""
        return self._nodes.get(pool, ())

    def server_of(self, node: str) -> str:
        """The node by which the server is called that holds what stands on `node`; empty for that of the whole pool."""
        return node if node in self._own_servers else ""

    def options_of(self, model: str) -> tuple[Option, ...]:
        """The options of a model."""
        return self._by_model.get(model, ())

    def taken(self, service: str) -> tuple[tuple[str, ...], ...]:
        """By stage of a service, the ids of the options that its paths take; nothing for one without a demand."""
        return self._taken.get(service, ())

    def uses(self) -> Iterator[tuple[Demand, Stage, Option]]:
        """Every demand's stage with every option of the stage's model: the pairs that compliance judges."""
        for demand in self.demands:
            for stage in self.service_of(demand).stages:
                for option in self.options_of(stage.model):
                    yield demand, stage, option
