"""The least that any plan of a tiny problem of the product costs under some of the rules, by trying every one.

Each rule is stated here a third time, in other words than for the solver and for the verifier. Every way to fill the nodes
of each pool is listed, the pools' ways are combined, and with each go all levels of the services. Combinations are
looked at by what they cost at least, their requests routed exactly, until no other can be cheaper.

No more instances of an option are tried than answer all that could be asked of it, and no fewer than any clause asks
for and than there are nodes in its pool: of more, one could go from a node that holds two, and every rule would still
be kept, at a lower cost.
"""

import itertools
import math
from collections.abc import Iterator
from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy as np
from every_route import Flow, exactly, relaxed

from policy.resolved import Service, Shed, UseVariant
from rules.kernel.plan import Plan
from rules.kernel.problem import WHOLE_PERMILLE, Demand, Option, Path, Problem

MOST_COMBINED: Final = 60_000
"""Problems with more combinations than this are left to others."""
PLENTY: Final = 1 << 40
"""More than all that could be asked."""
PART: Final = 500
"""An instance costs this part, in permille, of the price of the device share that it takes."""


class Level(NamedTuple):
    """One level of each service: what it costs, what each demand may refuse, and which services are at best effort."""

    cost: int
    refused: dict[str, int]
    level: dict[str, int]
    best_effort: frozenset[str]


class Everything:
    """All plans of a problem, beside what runs."""

    def __init__(self, problem: Problem, running: Plan) -> None:
        self.problem = problem
        self.options = problem.options
        self.groups = list(self._availability())
        self.most = [self._most(option) for option in self.options]
        self.batching = {problem.option(item.option).placement: problem.option(item.option) for item in running.instances}
        self.barred = {path.id: frozenset(self._bars(path)) for path in problem.paths}
        self.ways = [self._fillings(pool.name) for pool in problem.policy.pools]

    @property
    def is_small(self) -> bool:
        """Whether there are few enough combinations to try them all."""
        return math.prod(len(ways) for ways in self.ways) <= MOST_COMBINED

    def least(self, rules: frozenset[str]) -> int | None:
        """Millicents an hour of the cheapest plan that keeps these rules; None when there is none."""
        best: int | None = None
        kept = self._kept(rules)
        base = self.base + (self.starts if "churn" in rules else 0)
        for level in sorted(self._levels(rules), key=lambda level: level.cost):
            rows = np.flatnonzero(kept & self._available(rules, level))
            if not rows.size or (best is not None and level.cost >= best):
                continue
            best = self._cheapest(rules, level, rows, base, best)
        return best

    def _cheapest(
        self, rules: frozenset[str], level: Level, rows: np.ndarray, base: np.ndarray, best: int | None
    ) -> int | None:
        flows = self._flows(rules, level)
        answers = self.counts[rows] * [option.capacity_milli_rps * WHOLE_PERMILLE for option in self.options]
        if "capacity" not in rules:
            answers[:] = PLENTY
        unserved = sum((relaxed(flow, answers) for flow in flows), np.zeros(rows.size))
        lower = base[rows] + level.cost + np.floor(unserved)
        for at in np.argsort(lower, kind="stable").tolist():
            if not lower[at] < (math.inf if best is None else best):
                break
            cost = sum(exactly(flow, answers[at]) for flow in flows)
            if cost < math.inf:
                total = int(base[rows[at]]) + level.cost + int(cost)
                best = total if best is None else min(best, total)
        return best

    def _flows(self, rules: frozenset[str], level: Level) -> list[Flow]:
        """What has to be routed, by groups of demands that can share instances."""
        if "served" not in rules:
            return []
        models = {demand.id: {s.model for s in self._service(demand).stages} for demand in self.problem.demands}
        groups: list[list[Demand]] = []
        for demand in self.problem.demands:
            near = [group for group in groups if any(models[demand.id] & models[each.id] for each in group)]
            groups = [group for group in groups if group not in near]
            groups.append([*itertools.chain.from_iterable(near), demand])
        return [self._flow(group, rules, level) for group in groups]

    def _flow(self, demands: list[Demand], rules: frozenset[str], level: Level) -> Flow:
        number = {option.id: at for at, option in enumerate(self.options)}
        return Flow(
            paths=tuple(
                tuple(
                    tuple(number[name] for name in path.options)
                    for path in self.problem.paths
                    if path.demand == demand.id and self._usable(path, rules, level)
                )
                for demand in demands
            ),
            calls=tuple(
                tuple(demand.rate_milli_rps * stage.fanout for stage in self._service(demand).stages)
                for demand in demands
            ),
            models=tuple(tuple(stage.model for stage in self._service(demand).stages) for demand in demands),
            most_refused=tuple(level.refused[demand.id] for demand in demands),
            price=tuple(self._refusing(demand) for demand in demands),
        )

    def _usable(self, path: Path, rules: frozenset[str], level: Level) -> bool:
        if self.barred[path.id] & rules:
            return False
        service = self._service(self.problem.demand(path.demand))
        used = {(self.problem.option(n).placement.model, self.problem.option(n).placement.variant) for n in path.options}
        taken = {(s.model, s.variant) for s in service.degrade[: level.level[service.name]] if isinstance(s, UseVariant)}
        named = {(s.model, s.variant) for s in service.degrade if isinstance(s, UseVariant)}
        return "degrade" not in rules or not (used & named) - taken

    def _service(self, demand: Demand) -> Service:
        return self.problem.policy.service(demand.service)

    def _levels(self, rules: frozenset[str]) -> Iterator[Level]:
        """Every combination; without degrade orders there is one, at which all may be refused."""
        services = self.problem.policy.services
        if "degrade" not in rules:
            refused = {demand.id: WHOLE_PERMILLE for demand in self.problem.demands}
            yield Level(0, refused, {service.name: 0 for service in services}, frozenset())
            return
        for levels in itertools.product(*(range(len(service.degrade) + 2) for service in services)):
            at = dict(zip((service.name for service in services), levels, strict=True))
            best_effort = frozenset(s.name for s in services if at[s.name] == len(s.degrade) + 1)
            shed = {
                s.name: sum(step.share_permille for step in s.degrade[: at[s.name]] if isinstance(step, Shed))
                for s in services
            }
            yield Level(
                sum(10 * self._dearest * (1 + s.priority) * at[s.name] for s in services),
                {
                    demand.id: WHOLE_PERMILLE
                    if demand.service in best_effort
                    else min(WHOLE_PERMILLE, shed[demand.service])
                    for demand in self.problem.demands
                },
                at,
                best_effort,
            )

    @cached_property
    def _dearest(self) -> int:
        """A millicent above the price of all nodes."""
        return 1 + sum(p.price_millicents_per_hour * len(self.problem.nodes_of(p.name)) for p in self.problem.policy.pools)

    def _refusing(self, demand: Demand) -> int:
        """The price of a permille."""
        return 1 + 10 * self._dearest * (1 + self._service(demand).priority) // 1000

    # Paths: each rule that judges what goes where.

    def _bars(self, path: Path) -> Iterator[str]:
        problem = self.problem
        demand = problem.demand(path.demand)
        service = self._service(demand)
        for objective in service.latency:
            told = [us for basis, us in path.latency_us if basis >= objective.percentile_bp]
            if (told[0] if told else path.latency_us[-1][1]) > objective.below_us:
                yield "latency"
        for option in (problem.option(name) for name in path.options):
            exempt = any(
                isinstance(step, UseVariant)
                and step.model == option.placement.model
                and step.variant == option.placement.variant
                for step in service.degrade
            )
            if service.accuracy and not exempt and option.accuracy_ppm < service.accuracy.floor_ppm:
                yield "accuracy"
            for profile in problem.policy.compliance:
                if set(profile.classes) & set(service.data_classes):
                    yield from self._objections(profile, demand.origin, option)

    def _objections(self, profile: Any, origin: str, option: Option) -> Iterator[str]:
        problem, pool = self.problem, option.placement.pool
        site = next(each.site for each in problem.policy.pools if each.name == pool)
        links = [each for each in problem.policy.links if {each.a, each.b} == {origin, site}]
        if any(not self._certified(clause, pool, site) for clause in profile.certifications):
            yield "certification"
        if profile.residency:
            within = set(profile.residency.within)
            ends = [each.jurisdictions for each in problem.policy.sites if each.name in {origin, site}]
            inside = all(within & set(names) for names in ends)
            crossing = origin == site or any(within >= set(each.transit) for each in links)
            if not (inside and crossing):
                yield "residency"
        if profile.link_security and origin != site:
            order = ["none", "tls", "mtls"]
            asked = order.index(profile.link_security.encryption.value)
            if not any(order.index(each.encryption.value) >= asked for each in links):
                yield "link_security"

    def _certified(self, clause: Any, pool: str, site: str) -> bool:
        """Whether in each second something is held in a version from the asked one on; 4 is 4.0.0."""
        asked = [*clause.minimum, 0, 0, 0][:3]
        held = [
            each
            for each in self.problem.certifications
            if (each.subject_kind, each.subject) in {("pool", pool), ("site", site)}
            and each.standard == clause.standard
            and [*each.version, 0, 0, 0][:3] >= asked
        ]
        seconds = range(self.problem.now_s, self.problem.needed_until_s)
        return all(any(each.from_s <= second < each.until_s for each in held) for second in seconds)

    # Instances: each rule that judges what stands where.

    def _most(self, option: Option) -> int:
        problem = self.problem
        calls = 0
        for demand in problem.demands:
            stages = self._service(demand).stages
            through = [p for p in problem.paths if p.demand == demand.id and option.id in p.options]
            if through:
                calls += demand.rate_milli_rps * max(
                    stage.fanout for stage in stages if stage.model == option.placement.model
                )
        asked = [bound.minimum for bound in problem.policy.scaling.bounds if bound.model == option.placement.model]
        asked += [floor.minimum for floor in problem.floors if floor.placement == option.placement]
        return max([-(-calls // option.capacity_milli_rps), len(problem.nodes_of(option.placement.pool)), *asked])

    def _availability(self) -> Iterator[tuple[str, frozenset[str], int, int]]:
        """Service, options and the sites and nodes that one of its stages has to stand on."""
        for service in self.problem.policy.services:
            demands = [demand for demand in self.problem.demands if demand.service == service.name]
            paths = [path for path in self.problem.paths if path.demand in {demand.id for demand in demands}]
            if service.availability and paths and any(demand.rate_milli_rps for demand in demands):
                for stage in range(len(service.stages)):
                    usable = frozenset(path.options[stage] for path in paths)
                    yield service.name, usable, service.availability.sites, service.availability.nodes

    def _fillings(self, pool: str) -> list[tuple[tuple[int, ...], int, bool, bool, tuple[int, ...]]]:
        """What the nodes of a pool may hold: instances of each option, nodes in use, whether memory and whether shares
        are overdrawn somewhere, and the nodes that each of the availability groups stands on."""
        size = next(each for each in self.problem.policy.pools if each.name == pool)
        here = [option.placement.pool == pool for option in self.options]
        limits = [range(most + 1 if stands else 1) for most, stands in zip(self.most, here, strict=True)]
        nodes = []
        for counts in itertools.product(*limits):
            held = [(option, count) for option, count in zip(self.options, counts, strict=True) if count]
            nodes.append(
                (
                    counts,
                    int(bool(held)),
                    sum(option.memory_mib * count for option, count in held) > size.memory_mib,
                    sum(option.share_permille * count for option, count in held) > size.share_permille,
                    tuple(int(any(option.id in group for option, _ in held)) for _, group, _, _ in self.groups),
                )
            )
        found = {nodes[0]}
        for _ in self.problem.nodes_of(pool):
            found = {
                (
                    counts,
                    one[1] + other[1],
                    one[2] or other[2],
                    one[3] or other[3],
                    tuple(a + b for a, b in zip(one[4], other[4], strict=True)),
                )
                for one in found
                for other in nodes
                for counts in (tuple(a + b for a, b in zip(one[0], other[0], strict=True)),)
                if all(count <= most for count, most in zip(counts, self.most, strict=True))
            }
        return sorted(found)

    @cached_property
    def _combined(self) -> tuple[np.ndarray, ...]:
        """[R, options], [R, pools], [R], [R], [R, groups]: all pools' ways with each other."""
        sizes = [len(ways) for ways in self.ways]
        index = np.stack([each.ravel() for each in np.meshgrid(*map(np.arange, sizes), indexing="ij")])
        counts, used = np.zeros((index.shape[1], len(self.options)), np.int64), []
        full, busy = np.zeros(index.shape[1], bool), np.zeros(index.shape[1], bool)
        spread = np.zeros((index.shape[1], len(self.groups)), np.int64)
        for ways, chosen in zip(self.ways, index, strict=True):
            counts += np.array([way[0] for way in ways], np.int64).reshape(len(ways), -1)[chosen]
            used.append(np.array([way[1] for way in ways])[chosen])
            full |= np.array([way[2] for way in ways])[chosen]
            busy |= np.array([way[3] for way in ways])[chosen]
            spread += np.array([way[4] for way in ways], np.int64).reshape(len(ways), -1)[chosen]
        return counts, np.stack(used, axis=1), full, busy, spread

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

    def _placements(self) -> dict[Any, list[int]]:
        found: dict[Any, list[int]] = {}
        for at, option in enumerate(self.options):
            found.setdefault(option.placement, []).append(at)
        return found

    def _site(self, option: Option) -> str:
        return next(pool.site for pool in self.problem.policy.pools if pool.name == option.placement.pool)

    def _kept(self, rules: frozenset[str]) -> np.ndarray:
        """[R]: whether what stands keeps these rules, availability aside."""
        kept = np.ones(len(self.counts), bool)
        for rule, broken in self._broken.items():
            if rule in rules:
                kept &= ~broken
        return kept

    @cached_property
    def _broken(self) -> dict[str, np.ndarray]:
        problem, (counts, used, full, busy, _) = self.problem, self._combined
        settings = np.zeros(len(counts), bool)
        for members in self._placements().values():
            settings |= (counts[:, members] > 0).sum(axis=1) > 1
        dear = np.zeros(len(counts), bool)
        for ceiling in problem.policy.cost.ceilings:
            price = [
                pool.price_millicents_per_hour if ceiling.site in {"", pool.site} else 0 for pool in problem.policy.pools
            ]
            dear |= used @ np.array(price, np.int64) > ceiling.millicents_per_hour
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
        return {
            "device_memory": full,
            "device_share": busy,
            "one_setting": settings,
            "budget": dear,
            "replica_bounds": bounds,
            "churn": floors,
        }

    def _available(self, rules: frozenset[str], level: Level) -> np.ndarray:
        """[R]: whether every stage stands on enough sites and nodes, but for services at best effort."""
        counts, spread = self.counts, self._combined[4]
        kept = np.ones(len(counts), bool)
        for at, (service, usable, sites, nodes) in enumerate(self.groups):
            if "availability" in rules and service not in level.best_effort:
                stands: dict[str, np.ndarray] = {}
                for number, option in enumerate(self.options):
                    if option.id in usable:
                        site = self._site(option)
                        stands[site] = stands.get(site, False) | (counts[:, number] > 0)
                kept &= (sum(stands.values()) >= sites) & (spread[:, at] >= nodes)
        return kept
