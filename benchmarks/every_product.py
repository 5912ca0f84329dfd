"""The least that any plan of a tiny problem of the product costs under some of the rules, by trying every one.

Every way to fill the nodes (`every_standing`) goes with all levels of the services. Combinations are looked at by what
they cost at least, their requests routed exactly (`every_route`) over the paths that no rule refuses (`every_path`),
until no other can be cheaper.
"""

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np
from every_loss import crowds
from every_path import refusing
from every_payload import Room, cheapest, of_all_requests, used_by_all
from every_route import Flow, exactly, relaxed, sparing
from every_standing import Fillings

from policy.resolved import Ceiling, Pool, Service, Shed, UseVariant
from rules.kernel.plan import Plan
from rules.kernel.problem import WHOLE_PERMILLE, Demand, Path, Problem

PLENTY: Final = 1 << 40
"""More than all that could be asked."""
MILLIONTHS: Final = 1_000_000
"""Of an instance."""
OF_REQUESTS: Final = frozenset({"served", "capacity", "degrade"})


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
        self.fillings = Fillings(problem, running)
        self.refused = {path.id: refusing(problem, path) for path in problem.paths}
        self._routed: dict[object, float] = {}
        self.carried = {path.id: of_all_requests(problem, path) for path in problem.paths}

    @property
    def is_small(self) -> bool:
        """Whether there are few enough combinations to try them all."""
        return self.fillings.is_small

    def least(self, rules: frozenset[str]) -> int | None:
        """Millicents an hour of the cheapest plan that keeps these rules; None when there is none."""
        best: int | None = None
        base = self.fillings.base + (self.fillings.starts if "churn" in rules else 0)
        for level in sorted(self._levels(rules), key=lambda level: level.cost):
            rows = np.flatnonzero(self._kept(rules, level))
            if not rows.size or (best is not None and level.cost >= best):
                continue
            best = self._cheapest(rules, level, rows, base, best)
        return best

    def _kept(self, rules: frozenset[str], level: Level) -> np.ndarray:
        """[R]: whether what stands keeps these rules."""
        kept = ~np.any([np.zeros(len(self.fillings.counts), bool), *self._broken(rules)], axis=0)
        idle = self.fillings.idle(level.best_effort) if "spares" in rules else None
        kept = kept if idle is None else kept & (idle >= 0)
        return kept & self.fillings.available(level.best_effort) if "availability" in rules else kept

    def _broken(self, rules: frozenset[str]) -> Iterator[np.ndarray]:
        return (broken for rule, broken in self.fillings.broken.items() if rule in rules)

    def says(self, rule: str) -> bool:
        """Whether a rule refuses anything here; one that does not may as well be left out."""
        if rule in self.fillings.broken and self.fillings.broken[rule].any():
            return True
        ceilings = self.problem.policy.cost.ceilings
        asked = {
            "allocated_cost": any(each.service or each.team for each in ceilings),
            "availability": bool(self.fillings.groups),
            "budget": any(self.carried.values()) and bool(ceilings),
            "churn": bool(self.fillings.starts.any()),
            "preemption": bool(self.problem.assured),
            "spares": self.fillings.idle(frozenset()) is not None,
            "survival": any(self._service(demand).survives_any_site for demand in self.problem.demands),
        }
        refusing = rule in OF_REQUESTS or any(rule in refused for refused in self.refused.values())
        return asked.get(rule, refusing)

    def _cheapest(
        self, rules: frozenset[str], level: Level, rows: np.ndarray, base: np.ndarray, best: int | None
    ) -> int | None:
        flows = self._flows(rules, level)
        answers = self.fillings.counts[rows] * [
            option.capacity_milli_rps * WHOLE_PERMILLE for option in self.problem.options
        ]
        if "capacity" not in rules:
            answers[:] = PLENTY
        idle = self.fillings.idle(level.best_effort) if "spares" in rules else None
        capacity = tuple(option.capacity_milli_rps for option in self.problem.options)
        unserved = sum((relaxed(flow, answers) for flow in flows), np.zeros(rows.size))
        lower = base[rows] + level.cost + np.floor(unserved)
        has_prices = any(self.carried.values())
        has_prices |= any(rule in rules and self.says(rule) for rule in ("allocated_cost", "survival"))
        priced = self._priced(rules, level, rows) if has_prices and flows else None
        for at in np.argsort(lower, kind="stable").tolist():
            if not lower[at] < (math.inf if best is None else best):
                break
            if priced:
                cost = priced(at, answers[at])
            elif idle is None:
                cost = sum(exactly(flow, answers[at]) for flow in flows)
            else:
                spare = int(idle[rows[at]])
                cost = sum(sparing(flow, answers[at], capacity, spare) for flow in flows)
            if cost < math.inf:
                total = int(base[rows[at]]) + level.cost + int(cost)
                best = total if best is None else min(best, total)
        return best

    def _priced(self, rules: frozenset[str], level: Level, rows: np.ndarray) -> Callable[[int, np.ndarray], float]:
        """What refusing and carrying cost with the nodes of a row, in whole millicents."""
        demands = self.problem.demands
        flow = self._flow(list(demands), rules, level)
        usable = [
            [p for p in self.problem.paths if p.demand == d.id and self._usable(p, rules, level)] for d in demands
        ]
        paths = {(number, at): path for number, own in enumerate(usable) for at, path in enumerate(own)}
        carried = {key: self.carried[path.id] for key, path in paths.items()}
        every = self.problem.policy.cost.ceilings
        ceilings = [each for each in every if "budget" in rules and not each.service and not each.team]
        parts = [each for each in every if "allocated_cost" in rules and (each.service or each.team)]
        of_site = [
            {key: carried[key] if c.site in {"", demands[key[0]].origin} else 0 for key in carried} for c in ceilings
        ]
        used = {key: used_by_all(self.problem, path) for key, path in paths.items()}
        of_parts = [
            Room(
                {key: price for key, price in used.items() if self._is_of(each, demands[key[0]])},
                WHOLE_PERMILLE * each.millicents_per_hour,
            )
            for each in parts
        ]
        left = [ceiling.millicents_per_hour - self.fillings.spent(ceiling.site)[rows] for ceiling in ceilings]
        idle = self.fillings.idle(level.best_effort) if "spares" in rules else None
        taken = {key: self._taken(path) for key, path in paths.items()} if idle is not None else {}
        elsewhere = list(self._elsewhere(rules, level, paths))

        def cost(at: int, answers: np.ndarray) -> float:
            rooms = [Room(own, WHOLE_PERMILLE * int(most[at])) for own, most in zip(of_site, left, strict=True)]
            if idle is not None:
                rooms.append(Room(taken, MILLIONTHS * int(idle[rows[at]])))
            rooms += [Room(calls, int(answers[refuge].sum())) for calls, refuge in elsewhere]
            asked = (
                flow,
                answers.tobytes(),
                *((tuple(room.prices.items()), room.most) for room in (*rooms, *of_parts)),
            )
            if asked not in self._routed:
                self._routed[asked] = cheapest(flow, carried, answers, [*rooms, *of_parts])
            found = self._routed[asked]
            return found if math.isinf(found) else -(-found // WHOLE_PERMILLE)

        return cost

    def _elsewhere(
        self, rules: frozenset[str], level: Level, paths: Mapping[tuple[int, int], Path]
    ) -> Iterator[tuple[dict[tuple[int, int], int], list[int]]]:
        """What a permille of each path brings to options that it has to have room on when a site is lost."""
        number = {option.id: at for at, option in enumerate(self.problem.options)}
        for demand in self.problem.demands if "survival" in rules else ():
            service = self._service(demand)
            if service.survives_any_site and service.name not in level.best_effort:
                (stage,) = service.stages
                for crowd, refuge in crowds(self.problem, demand):
                    calls = demand.rate_milli_rps * stage.fanout
                    own = {key: calls for key, path in paths.items() if path.id in crowd}
                    yield own, [number[option] for option in sorted(refuge)]

    def _taken(self, path: Path) -> int:
        """Millionths of an instance that a permille of the requests takes, of a service of one stage."""
        demand = next(each for each in self.problem.demands if each.id == path.demand)
        (stage,), (name,) = self._service(demand).stages, path.options
        capacity = next(each.capacity_milli_rps for each in self.problem.options if each.id == name)
        return -(-demand.rate_milli_rps * stage.fanout * 1000 // capacity)

    def _is_of(self, ceiling: Ceiling, demand: Demand) -> bool:
        """Whether a ceiling of a service or a team counts what a demand uses."""
        service = self._service(demand)
        return ceiling.service == service.name or bool(ceiling.team and ceiling.team == service.team)

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
        number = {option.id: at for at, option in enumerate(self.problem.options)}
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
        if self.refused[path.id] & rules:
            return False
        service = self._service(self.problem.demand(path.demand))
        used = {
            (self.problem.option(n).placement.model, self.problem.option(n).placement.variant) for n in path.options
        }
        taken = {
            (s.model, s.variant) for s in service.degrade[: level.level[service.name]] if isinstance(s, UseVariant)
        }
        named = {(s.model, s.variant) for s in service.degrade if isinstance(s, UseVariant)}
        return "degrade" not in rules or not (used & named) - taken

    def _service(self, demand: Demand) -> Service:
        return self.problem.policy.service(demand.service)

    def _levels(self, rules: frozenset[str]) -> Iterator[Level]:
        """Every combination; without degrade orders there is one, at which all may be refused."""
        services = self.problem.policy.services
        assured = self.problem.assured if "preemption" in rules else ()
        most = {demand: permille for each in assured for demand, permille in each.unserved_permille}
        if "degrade" not in rules:
            refused = {demand.id: most.get(demand.id, WHOLE_PERMILLE) for demand in self.problem.demands}
            yield Level(0, refused, {service.name: 0 for service in services}, frozenset())
            return
        highest = {s.name: len(s.degrade) + 1 for s in services} | {each.service: each.level for each in assured}
        for levels in itertools.product(*(range(highest[service.name] + 1) for service in services)):
            at = dict(zip((service.name for service in services), levels, strict=True))
            best_effort = frozenset(s.name for s in services if at[s.name] == len(s.degrade) + 1)
            shed = {
                s.name: sum(step.share_permille for step in s.degrade[: at[s.name]] if isinstance(step, Shed))
                for s in services
            }
            yield Level(
                sum(10 * self._dearest * (1 + s.priority) * at[s.name] for s in services),
                {
                    demand.id: min(
                        WHOLE_PERMILLE if demand.service in best_effort else shed[demand.service],
                        most.get(demand.id, WHOLE_PERMILLE),
                    )
                    for demand in self.problem.demands
                },
                at,
                best_effort,
            )

    @cached_property
    def _dearest(self) -> int:
        """A millicent above all nodes, full of newly started instances, and the dearest way of each demand."""
        ways = sum(
            max((self.carried[path.id] for path in self.problem.paths if path.demand == demand.id), default=0)
            for demand in self.problem.demands
        )
        return 1 + ways + sum(len(self.problem.nodes_of(p.name)) * self._full(p) for p in self.problem.policy.pools)

    def _full(self, pool: Pool) -> int:
        """A node at one and a half times its price, with as many of the smallest instances as fit, each changed."""
        here = [option for option in self.problem.options if option.placement.pool == pool.name]
        by_memory = pool.memory_mib // max(1, min((o.memory_mib for o in here), default=pool.memory_mib + 1))
        by_share = pool.share_permille // max(1, min((o.share_permille for o in here), default=1))
        changed = 2 + 2 * self.problem.policy.cost.start_millicents
        return 1 + pool.price_millicents_per_hour * 3 // 2 + min(by_memory, by_share) * changed

    def _refusing(self, demand: Demand) -> int:
        """The price of a permille."""
        return 1 + 10 * self._dearest * (1 + self._service(demand).priority) // 1000
