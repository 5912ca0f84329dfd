"""What stands and what goes where between two plans, by placements rather than by options.

An option has a setting and the load that its latency is promised for; on the way from plan to plan both change while
the instances stay. So a moment is told by placements, and written as a plan only to be verified.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from controller.fleet import Fleet, Load, RouteSet, Way
from rules.kernel.plan import Degraded, Instances, Plan, Route, Unserved
from rules.kernel.problem import Option, Placement, Problem

Spot = tuple[Placement, str]
"""A placement on a node."""
Setting = tuple[int, int]
"""The largest batch, and the queue delay in us."""
Taken = tuple[Placement, ...]
"""The placement that serves each stage; () stands for being refused."""
Shares = Mapping[Taken, int]
"""A demand's shares in permille by the way that they take; they sum to 1000."""


@dataclass(frozen=True)
class Still:
    """Instances on nodes on which nothing changes: they are counted once for a whole way."""

    counts: Mapping[Spot, int] = field(default_factory=dict)

    @cached_property
    def totals(self) -> Counter[Placement]:
        """Instances by placement."""
        found: Counter[Placement] = Counter()
        for (placement, _), count in self.counts.items():
            found[placement] += count
        return found

    @cached_property
    def nodes(self) -> frozenset[str]:
        """The nodes with an instance."""
        return frozenset(node for _, node in self.counts)


@dataclass(frozen=True, slots=True)
class Between:
    """One moment: instances by spot, the setting and load of each placement, each demand's shares, degrade levels.

    What stands is `counts` beside `still`; one spot may be in both.
    """

    counts: Mapping[Spot, int]
    settings: Mapping[Placement, Setting]
    loads_permille: Mapping[Placement, int]
    shares: Mapping[str, Shares]
    levels: Mapping[str, int]
    still: Still = field(default_factory=Still)

    def standing(self) -> Counter[Spot]:
        """All instances by spot."""
        found = Counter(self.still.counts)
        for spot, count in self.counts.items():
            found[spot] += count
        return found

    def powered(self) -> frozenset[str]:
        """The nodes with an instance."""
        return self.still.nodes | {node for _, node in self.counts}

    def totals(self) -> Counter[Placement]:
        """Instances by placement, over all nodes."""
        found = self.still.totals.copy()
        for (placement, _), count in self.counts.items():
            found[placement] += count
        return found

    def loads(self) -> dict[Placement, Load]:
        """What servers are asked for."""
        return {p: Load(p, count, *self.settings[p]) for p, count in self.totals().items()}


def apart(start: Between, goal: Between) -> tuple[Between, Between]:
    """Both with what stands on nodes that are the same in both as `still`."""
    one, other = start.standing(), goal.standing()
    anew = {p for p, setting in start.settings.items() if goal.settings.get(p, setting) != setting}
    touched = {spot[1] for spot in {*one, *other} if one[spot] != other[spot] or spot[0] in anew}
    still = Still({spot: count for spot, count in one.items() if spot[1] not in touched})

    def moving(moment: Between, standing: Counter[Spot]) -> Between:
        counts = {spot: count for spot, count in standing.items() if spot[1] in touched and count}
        return replace(moment, counts=counts, still=still)

    return moving(start, one), moving(goal, other)


@dataclass(frozen=True)
class Ground:
    """A problem's facts by placement."""

    problem: Problem

    @cached_property
    def options(self) -> dict[tuple[Placement, Setting, int], Option]:
        """Options by placement, setting and load in permille."""
        return {(o.placement, (o.max_batch, o.queue_delay_us), o.load_permille): o for o in self.problem.options}

    @cached_property
    def sizes(self) -> dict[Placement, Option]:
        """Any option of a placement: memory and load time are the same for all of them."""
        return {option.placement: option for option in self.problem.options}

    @cached_property
    def paths(self) -> dict[tuple[str, tuple[str, ...]], str]:
        """Path ids by demand and options."""
        return {(path.demand, path.options): path.id for path in self.problem.paths}

    @cached_property
    def calls(self) -> dict[str, tuple[int, ...]]:
        """Thousandths of calls a second that each stage of a demand is asked for."""
        return {
            demand.id: tuple(demand.rate_milli_rps * stage.fanout for stage in self.problem.service_of(demand).stages)
            for demand in self.problem.demands
        }

    @cached_property
    def node_pool(self) -> dict[str, str]:
        """The pool of each usable node."""
        return {node.name: node.pool for node in self.problem.nodes}

    @cached_property
    def pool_nodes(self) -> dict[str, tuple[str, ...]]:
        """The usable nodes of each pool."""
        found: dict[str, list[str]] = {}
        for node in self.problem.nodes:
            found.setdefault(node.pool, []).append(node.name)
        return {pool: tuple(names) for pool, names in found.items()}

    @cached_property
    def _sites(self) -> dict[str, str]:
        return {pool.name: pool.site for pool in self.problem.policy.pools}

    def site(self, pool: str) -> str:
        """The site of a pool."""
        return self._sites[pool]

    def between(self, plan: Plan) -> Between:
        """A plan as a moment."""
        counts: Counter[Spot] = Counter()
        settings: dict[Placement, Setting] = {}
        loads_permille: dict[Placement, int] = {}
        for item in plan.instances:
            if not item.count:
                continue
            option = self.problem.option(item.option)
            counts[option.placement, item.node] += item.count
            settings[option.placement] = (option.max_batch, option.queue_delay_us)
            loads_permille[option.placement] = option.load_permille
        shares: dict[str, dict[Taken, int]] = {demand.id: {} for demand in self.problem.demands}
        for route in plan.routes:
            path = self.problem.path(route.path)
            taken = tuple(self.problem.option(option).placement for option in path.options)
            if route.share_permille:
                here = shares[path.demand]
                here[taken] = here.get(taken, 0) + route.share_permille
        for refused in plan.unserved:
            if refused.share_permille:
                shares[refused.demand][()] = refused.share_permille
        return Between(counts, settings, loads_permille, shares, {d.service: d.level for d in plan.degraded if d.level})

    def plan(self, moment: Between) -> Plan | None:
        """A moment as a plan; None when the problem lacks an option or a path for it."""
        options: dict[Placement, str] = {}
        for placement, setting in moment.settings.items():
            option = self.options.get((placement, setting, moment.loads_permille[placement]))
            if option is None:
                return None
            options[placement] = option.id
        routes = []
        for demand, shares in moment.shares.items():
            for taken, share in shares.items():
                if not taken:
                    continue
                path = self.paths.get((demand, tuple(options.get(placement, "") for placement in taken)))
                if path is None:
                    return None
                routes.append(Route(path, share))
        return Plan(
            tuple(sorted(Instances(options[p], node, count) for (p, node), count in moment.standing().items())),
            tuple(sorted(routes)),
            tuple(sorted(Unserved(demand, shares[()]) for demand, shares in moment.shares.items() if shares.get(()))),
            tuple(sorted(Degraded(service, level) for service, level in moment.levels.items() if level)),
        )

    def routes(self, moment: Between) -> tuple[RouteSet, ...]:
        """What gateways are asked for."""
        found = []
        for demand in self.problem.demands:
            ways = (Way(share, taken) for taken, share in moment.shares[demand.id].items() if taken)
            found.append(RouteSet(demand.service, demand.origin, tuple(sorted(ways))))
        return tuple(sorted(found))

    def fleet(self, moment: Between) -> Fleet:
        """A moment in the terms of servers and gateways."""
        return Fleet(tuple(sorted(moment.loads().values())), self.routes(moment))

    def brought(self, routes: Mapping[str, Shares]) -> Counter[Placement]:
        """Millionths of calls a second that routes bring each placement."""
        found: Counter[Placement] = Counter()
        for demand, shares in routes.items():
            for taken, share in shares.items():
                for placement, calls in zip(taken, self.calls[demand], strict=bool(taken)):
                    found[placement] += share * calls
        return found

    def answers(self, placement: Placement, setting: Setting, load_permille: int) -> int:
        """Millionths of calls a second that one instance may be given."""
        option = self.options.get((placement, setting, load_permille))
        return 1000 * option.capacity_milli_rps if option else 0
