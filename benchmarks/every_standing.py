"""Every way to fill the nodes of a tiny problem: what it costs, and which rules it breaks, whatever goes where.

Each rule is stated in other words than for the solver and the verifier. No more instances of an option are tried than
answer all that could be asked of it, than any clause asks for, and than there are nodes in its pool: of more, one could
go from a node that holds two, and every rule would still be kept, at a lower cost.
"""

import itertools
import math
from collections.abc import Iterator
from functools import cached_property
from operator import or_
from typing import Final, NamedTuple

import numpy as np
from every_path import is_useless

from policy.resolved import AvailabilityObjective, Pool
from rules.kernel.plan import Plan
from rules.kernel.problem import Option, Placement, Problem

MOST_HELD: Final = 60
MOST_COMBINED: Final = 20_000
"""Problems with more ways to fill one node, or more combinations than this are left to others."""
MOST_RACKS: Final = 9
PART: Final = 500
"""An instance costs this part, in permille, of the price of the device share that it takes."""


class Filling(NamedTuple):
    """What some nodes hold.

    Instances of each option, how many nodes hold any, whether the memory and whether the shares of one are overdrawn,
    on how many of them stands what each availability objective asks for, and in which racks that is, as bits; and as
    bits where that stands which each clause keeps in one rack or on one node.
    """

    counts: tuple[int, ...]
    used: int
    is_full: bool
    is_busy: bool
    spread: tuple[int, ...]
    racks: tuple[int, ...]
    kept: tuple[int, ...]


def _joined(one: Filling, other: Filling) -> Filling:
    return Filling(
        tuple(map(sum, zip(one.counts, other.counts, strict=True))),
        one.used + other.used,
        one.is_full or other.is_full,
        one.is_busy or other.is_busy,
        tuple(map(sum, zip(one.spread, other.spread, strict=True))),
        tuple(itertools.starmap(or_, zip(one.racks, other.racks, strict=True))),
        tuple(itertools.starmap(or_, zip(one.kept, other.kept, strict=True))),
    )


class Fillings:
    """All R ways to fill the nodes, beside what runs."""

    def __init__(self, problem: Problem, running: Plan) -> None:
        self.problem = problem
        self.options = problem.options
        self.groups = list(self._availability())
        self.kept_together = list(self._kept_together())
        self.most = [self._most(option) for option in self.options]
        ran = [problem.option(item.option) for item in running.instances]
        self.batching = {option.placement: option for option in ran}

    @property
    def is_small(self) -> bool:
        """Whether there are few enough combinations to try them all."""
        by_pool = [
            math.prod(
                most + 1 for option, most in zip(self.options, self.most, strict=True) if option.placement.pool == name
            )
            for name in (pool.name for pool in self.problem.policy.pools)
        ]
        return max(by_pool) <= MOST_HELD and math.prod(len(ways) for ways in self.ways) <= MOST_COMBINED

    @cached_property
    def ways(self) -> list[list[Filling]]:
        """Of each pool, what its nodes may hold."""
        return [self._fillings(pool.name) for pool in self.problem.policy.pools]

    def _most(self, option: Option) -> int:
        problem = self.problem
        calls = 0
        for demand in problem.demands:
            stages = self.problem.policy.service(demand.service).stages
            through = [p for p in problem.paths if p.demand == demand.id and option.id in p.options]
            if through:
                calls += demand.rate_milli_rps * max(
                    stage.fanout for stage in stages if stage.model == option.placement.model
                )
        asked = [bound.minimum for bound in problem.policy.scaling.bounds if bound.model == option.placement.model]
        asked += [floor.minimum for floor in problem.floors if floor.placement == option.placement]
        spares = [s.availability.spares for s in problem.policy.services if s.availability]
        needed = -(-calls // option.capacity_milli_rps) + max(spares, default=0)
        return max([needed, len(problem.nodes_of(option.placement.pool)), *asked])

    def _availability(self) -> Iterator[tuple[str, frozenset[str], int, int]]:
        """Service, options and the sites and nodes that one of its stages has to stand on."""
        for service in self.problem.policy.services:
            demands = [demand for demand in self.problem.demands if demand.service == service.name]
            paths = [path for path in self.problem.paths if path.demand in {demand.id for demand in demands}]
            if service.availability and paths and any(demand.rate_milli_rps for demand in demands):
                for stage in range(len(service.stages)):
                    usable = frozenset(path.options[stage] for path in paths)
                    yield service.name, usable, service.availability.sites, service.availability.nodes

    def _kept_together(self) -> Iterator[tuple[frozenset[str], str]]:
        """Options that have to stand in one place of each site, and whether that is a rack or a node."""
        for service in self.problem.policy.services:
            demands = {demand.id for demand in self.problem.demands if demand.service == service.name}
            taken = [path.options for path in self.problem.paths if path.demand in demands]
            for clause in service.together:
                if clause.within.value in {"rack", "node"}:
                    meant = [at for at, stage in enumerate(service.stages) if stage.name in clause.stages]
                    servers = {self.problem.option(options[at]).placement for options in taken for at in meant}
                    yield frozenset(each.id for each in self.options if each.placement in servers), clause.within.value

    @cached_property
    def _places(self) -> list[tuple[str, str]]:
        """The site and the name of each rack and of each node."""
        racks = {(pool.site, f"rack {rack}") for pool in self.problem.policy.pools for rack in pool.racks or ("",)}
        return [*sorted(racks), *((self._pool_of(node.pool).site, node.name) for node in self.problem.nodes)]

    def _place(self, within: str, pool: Pool, index: int) -> int:
        """The bit of a node of a pool, or of its rack."""
        rack = pool.racks[index % len(pool.racks)] if pool.racks else ""
        name = self.problem.nodes_of(pool.name)[index].name if within == "node" else f"rack {rack}"
        return 1 << self._places.index((pool.site, name))

    def _pool_of(self, name: str) -> Pool:
        return next(each for each in self.problem.policy.pools if each.name == name)

    def _fillings(self, pool: str) -> list[Filling]:
        """What the nodes of a pool may hold together; nodes that hold nothing are among them."""
        size = self._pool_of(pool)
        limits = [
            range(most + 1 if option.placement.pool == pool else 1)
            for option, most in zip(self.options, self.most, strict=True)
        ]
        nodes = []
        for counts in itertools.product(*limits):
            held = [(option, count) for option, count in zip(self.options, counts, strict=True) if count]
            nodes.append(
                Filling(
                    counts,
                    int(bool(held)),
                    sum(option.memory_mib * count for option, count in held) > size.memory_mib,
                    sum(option.share_permille * count for option, count in held) > size.share_permille,
                    tuple(int(any(option.id in group for option, _ in held)) for _, group, _, _ in self.groups),
                    (0,) * len(self.groups),
                    tuple(int(any(option.id in meant for option, _ in held)) for meant, _ in self.kept_together),
                )
            )
        found = {nodes[0]}
        for index, _ in enumerate(self.problem.nodes_of(pool)):
            bit = self._rack(size, index)
            bits = [self._place(within, size, index) for _, within in self.kept_together]
            here = [
                one._replace(
                    racks=tuple(bit * stands for stands in one.spread),
                    kept=tuple(place * stands for place, stands in zip(bits, one.kept, strict=True)),
                )
                for one in nodes
            ]
            found = {_joined(one, other) for one in found for other in here}
            found = {one for one in found if all(n <= most for n, most in zip(one.counts, self.most, strict=True))}
        return sorted(found)

    def _rack(self, pool: Pool, index: int) -> int:
        """The bit of a node's rack, where any objective asks for racks."""
        asked = (service.availability for service in self.problem.policy.services)
        if not any(each and each.racks for each in asked):
            return 0
        racks = sorted({(each.site, rack) for each in self.problem.policy.pools for rack in each.racks or ("",)})
        return 1 << racks.index((pool.site, pool.racks[index % len(pool.racks)] if pool.racks else ""))

    @cached_property
    def _combined(self) -> tuple[np.ndarray, ...]:
        """[R, options], [R, pools], [R], [R], [R, groups] twice, [R, clauses]: all pools' ways with each other."""
        sizes = [len(ways) for ways in self.ways]
        index = np.stack([each.ravel() for each in np.meshgrid(*map(np.arange, sizes), indexing="ij")])
        counts, used = np.zeros((index.shape[1], len(self.options)), np.int64), []
        full, busy = np.zeros(index.shape[1], bool), np.zeros(index.shape[1], bool)
        spread = np.zeros((index.shape[1], len(self.groups)), np.int64)
        racks = np.zeros_like(spread)
        kept = np.zeros((index.shape[1], len(self.kept_together)), np.int64)
        for ways, chosen in zip(self.ways, index, strict=True):
            counts += np.array([way[0] for way in ways], np.int64).reshape(len(ways), -1)[chosen]
            used.append(np.array([way[1] for way in ways])[chosen])
            full |= np.array([way[2] for way in ways])[chosen]
            busy |= np.array([way[3] for way in ways])[chosen]
            spread += np.array([way[4] for way in ways], np.int64).reshape(len(ways), -1)[chosen]
            racks |= np.array([way[5] for way in ways], np.int64).reshape(len(ways), -1)[chosen]
            kept |= np.array([way[6] for way in ways], np.int64).reshape(len(ways), -1)[chosen]
        return counts, np.stack(used, axis=1), full, busy, spread, racks, kept

    @property
    def counts(self) -> np.ndarray:
        """[R, options]: instances."""
        return self._combined[0]

    @cached_property
    def base(self) -> np.ndarray:
        """[R]: nodes, and instances with what other batching costs."""
        pools = self.problem.policy.pools
        price = []
        for option in self.options:
            pool = self.problem.policy.pool(option.placement.pool)
            part = pool.price_millicents_per_hour * option.share_permille // pool.share_permille * PART // 1000
            runs = self.batching.get(option.placement, option)
            again = (option.max_batch, option.queue_delay_us) != (runs.max_batch, runs.queue_delay_us)
            start = self.problem.policy.cost.start_millicents if again else 0
            price.append((1 if option.max_batch == 1 else 2) + part + start)
        nodes = self._combined[1] @ np.array([pool.price_millicents_per_hour for pool in pools], np.int64)
        cost: np.ndarray = nodes + self.counts @ np.array(price, np.int64).reshape(-1)
        return cost

    @cached_property
    def starts(self) -> np.ndarray:
        """[R]: the price of instances beyond those of their placement that run."""
        started = np.zeros(len(self.counts), np.int64)
        for placement, members in self._placements().items():
            runs = sum(item.count for item in self.problem.running if item.placement == placement)
            started += np.maximum(0, self.counts[:, members].sum(axis=1) - runs)
        return started * self.problem.policy.cost.start_millicents

    def _placements(self) -> dict[Placement, list[int]]:
        found: dict[Placement, list[int]] = {}
        for at, option in enumerate(self.options):
            found.setdefault(option.placement, []).append(at)
        return found

    def _site(self, option: Option) -> str:
        return next(pool.site for pool in self.problem.policy.pools if pool.name == option.placement.pool)

    def spent(self, site: str) -> np.ndarray:
        """[R]: what the nodes cost, all of them or those at a site."""
        pools = self.problem.policy.pools
        price = [pool.price_millicents_per_hour if site in {"", pool.site} else 0 for pool in pools]
        total: np.ndarray = self._combined[1] @ np.array(price, np.int64)
        return total

    @cached_property
    def broken(self) -> dict[str, np.ndarray]:
        """[R] by rule: whether what stands breaks it, availability aside."""
        problem, (counts, _, full, busy, *_, kept) = self.problem, self._combined
        settings = np.zeros(len(counts), bool)
        for members in self._placements().values():
            settings |= (counts[:, members] > 0).sum(axis=1) > 1
        dear = np.zeros(len(counts), bool)
        for ceiling in (each for each in problem.policy.cost.ceilings if not each.service and not each.team):
            dear |= self.spent(ceiling.site) > ceiling.millicents_per_hour
        bounds = np.zeros(len(counts), bool)
        for bound in problem.policy.scaling.bounds:
            members = [
                at
                for at, option in enumerate(self.options)
                if option.placement.model == bound.model and bound.site in {"", self._site(option)}
            ]
            total = counts[:, members].sum(axis=1)
            bounds |= (total < bound.minimum) | (total > bound.maximum)
        floors = np.zeros(len(counts), bool)
        for floor in problem.floors:
            floors |= counts[:, self._placements()[floor.placement]].sum(axis=1) < floor.minimum
        useless = [at for at, option in enumerate(self.options) if is_useless(problem, option)]
        apart = np.zeros(len(counts), bool)
        for site in {site for site, _ in self._places}:
            bits = [bit for bit, (where, _) in enumerate(self._places) if where == site]
            apart |= (sum(kept >> bit & 1 for bit in bits) > 1).any(axis=1)
        return {
            "standing": (counts[:, useless] > 0).any(axis=1),
            "gathering": apart,
            "device_memory": full,
            "device_share": busy,
            "one_setting": settings,
            "budget": dear,
            "replica_bounds": bounds,
            "churn": floors,
        }

    def idle(self, best_effort: frozenset[str]) -> np.ndarray | None:
        """[R]: instances that one stage has beyond its spares; None where none are asked for.

        They are said of a service of one stage and with one demand.
        """
        for service, usable, _, _ in self.groups:
            spares = self._availability_of(service).spares
            if spares and service not in best_effort:
                members = [at for at, option in enumerate(self.options) if option.id in usable]
                idle: np.ndarray = self.counts[:, members].sum(axis=1) - spares
                return idle
        return None

    def _availability_of(self, service: str) -> AvailabilityObjective:
        """What a service of one of the groups asks."""
        asked = self.problem.policy.service(service).availability
        assert asked is not None
        return asked

    def available(self, best_effort: frozenset[str]) -> np.ndarray:
        """[R]: whether every stage stands on enough sites and nodes, but for services at best effort."""
        counts, spread, racks = self.counts, self._combined[4], self._combined[5]
        kept = np.ones(len(counts), bool)
        for at, (service, usable, sites, nodes) in enumerate(self.groups):
            if service not in best_effort:
                stands: dict[str, np.ndarray] = {}
                for number, option in enumerate(self.options):
                    if option.id in usable:
                        site = self._site(option)
                        stands[site] = stands.get(site, False) | (counts[:, number] > 0)
                kept &= (sum(stands.values()) >= sites) & (spread[:, at] >= nodes)
                least = self._availability_of(service).racks
                kept &= (least == 0) | (sum(racks[:, at] >> bit & 1 for bit in range(MOST_RACKS)) >= least)
        return kept
