"""A decision as a problem again, of what it uses alone: enough for rules that go by evidence, by room and by number.

Latencies are not in it, for no site can judge them alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from collectors.snapshot import Snapshot
from controller.decision import Decision
from controller.fleet import RouteSet
from controller.planning.demand import demand_id
from controller.planning.inventoried import inventoried
from controller.planning.options import options_of, placement_of, speeds
from controller.planning.proofs import attestations, certifications, provenances
from policy.resolved import Policy
from rules.kernel.plan import Plan, Route
from rules.kernel.problem import Demand, Node, Option, Path, Placement, Problem


@dataclass(frozen=True, slots=True)
class Asked:
    """What was decided, as `plan` of `problem`, which has an option for each placement that the plan loads.

    Of each placement there is the option with the setting that it has in the plan.
    """

    problem: Problem
    plan: Plan
    options: dict[Placement, Option]

    def taking(self, routes: tuple[RouteSet, ...]) -> "Asked":
        """The same instances, with these routes instead, as far as their placements are in the plan."""
        paths = tuple(_paths(routes, self.problem, self.options))
        shares = tuple(Route(path.id, share) for path, share in paths)
        problem = replace(self.problem, paths=tuple(path for path, _ in paths))
        return Asked(problem, replace(self.plan, routes=shares), self.options)


def asked(policy: Policy, snapshot: Snapshot, decision: Decision, now: datetime) -> Asked:
    """What a decision uses, judged at `now`."""
    known = inventoried(policy, snapshot)
    chosen = {item.option: item for item in decision.plan.instances if item.count}
    models = {placement_of(name).partition("/")[0] for name in chosen}
    speed = speeds(known, decision.state.learnt, decision.state.interference, decision.state.crowding)
    options = {
        option.id: option
        for model in known.models
        if model.name in models
        for option in options_of(known, speed, model)
        if option.id in chosen
    }
    pools = {item.node: options[item.option].placement.pool for item in chosen.values() if item.option in options}
    nodes = {item.node: pools.get(item.node, "") for item in decision.plan.instances}
    own = {load.node for load in decision.fleet.loads if load.node}
    now_s = int(now.timestamp())
    problem = Problem(
        policy=known,
        now_s=now_s,
        needed_until_s=now_s + 1,
        demands=tuple(
            Demand(demand_id(item.service, item.origin), item.service, item.origin, item.rate_milli_rps)
            for item in decision.forecasts
        ),
        options=tuple(options.values()),
        paths=(),
        nodes=tuple(Node(name, pool, own_server=name in own) for name, pool in nodes.items() if pool),
        certifications=certifications(snapshot.evidence),
        running=(),
        floors=(),
        attestations=attestations(snapshot.evidence),
        provenances=provenances(known, snapshot.evidence),
    )
    standing = Plan(instances=decision.plan.instances, degraded=decision.plan.degraded)
    bare = Asked(problem, standing, {each.placement: each for each in options.values()})
    return bare.taking(decision.fleet.routes)


def _paths(
    routes: tuple[RouteSet, ...], problem: Problem, options: dict[Placement, Option]
) -> Iterator[tuple[Path, int]]:
    known = {demand.id for demand in problem.demands}
    for item in routes:
        demand = demand_id(item.service, item.origin)
        for index, way in enumerate(item.ways if demand in known else ()):
            if all(placement in options for placement in way.placements):
                taken = tuple(options[placement].id for placement in way.placements)
                yield Path(f"{demand} {index}", demand, taken, (), encodings=way.encodings), way.weight_permille
