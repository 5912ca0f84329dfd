"""A problem by placement: what ways between plans stand on, and how their moments become plans and routes."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from controller.fleet import Load, RouteSet, Seat, Way, parts_of, routed
from controller.planning.sending import by_options
from controller.planning.transitions.between import Between, Setting, Shares, Spot, Taken
from rules.kernel.latest import Latest
from rules.kernel.plan import Degraded, Instances, Plan, Route, Unserved
from rules.kernel.problem import Option, Path, Placement, Problem


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
    def _allowed(self) -> dict[tuple[str, tuple[str, ...]], Path]:
        return by_options(self.problem)

    @cached_property
    def paths(self) -> dict[tuple[str, tuple[str, ...]], str]:
        """Path ids by demand and options."""
        return {use: path.id for use, path in self._allowed.items()}

    @cached_property
    def encodings(self) -> dict[tuple[str, Taken], tuple[str, ...]]:
        """By demand and placements, in which encodings payloads are sent there, where not all go as they are."""
        return {
            (demand, tuple(self.problem.option(option).placement for option in options)): path.encodings
            for (demand, options), path in self._allowed.items()
            if path.encodings
        }

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

    def loads(self, moment: Between) -> dict[Seat, Load]:
        """What servers are asked for."""
        counts = self._on_servers(moment)
        return {(p, node): Load(p, count, *moment.settings[p], node) for (p, node), count in counts.items()}

    def _on_servers(self, moment: Between) -> Counter[Seat]:
        found: Counter[Seat] = Counter()
        for (placement, node), count in moment.standing().items():
            found[placement, self.problem.server_of(node)] += count
        return found

    def routes(self, moment: Between, standing: Between | None = None) -> tuple[RouteSet, ...]:
        """What gateways are asked for; requests are parted over the instances of `standing` where that is given."""
        parts, found = parts_of(self._on_servers(standing or moment)), []
        for demand in self.problem.demands:
            ways = (
                Way(share, taken, self.encodings.get((demand.id, taken), ()))
                for taken, share in moment.shares[demand.id].items()
                if taken
            )
            found.append(routed(demand.service, demand.origin, ways, parts))
        found += (RouteSet(demand.service, demand.origin, ()) for demand in self.problem.asleep)
        return tuple(sorted(found))

    def brought(self, routes: Mapping[str, Shares]) -> Counter[Placement]:
        """Millionths of calls a second that routes bring each placement."""
        found: defaultdict[Placement, int] = defaultdict(int)
        calls_of = self.calls
        for demand, shares in routes.items():
            for taken, share in shares.items():
                for placement, calls in zip(taken, calls_of[demand], strict=bool(taken)):
                    found[placement] += share * calls
        return Counter(found)

    @cached_property
    def brought_now(self) -> Latest[[Mapping[str, Shares]], Counter[Placement]]:
        """The same of routes that stay as they are for some steps; to be read only."""
        return Latest(self.brought)

    def answers(self, placement: Placement, setting: Setting, load_permille: int) -> int:
        """Millionths of calls a second that one instance may be given."""
        option = self.options.get((placement, setting, load_permille))
        return 1000 * option.capacity_milli_rps if option else 0
