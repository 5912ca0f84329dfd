"""What runs now, in a problem's terms: observed instances on nodes, and the routes that were last set."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from collectors.snapshot import LoadedModel, ModelState, Snapshot
from controller.decision import State
from controller.planning.options import placement_of
from controller.planning.sending import by_options
from policy.resolved import Policy
from rules.kernel.plan import Degraded, Instances, Plan, Route, Unserved
from rules.kernel.problem import WHOLE_PERMILLE, Node, Option, Placement, Problem, Running


def usable_nodes(policy: Policy, snapshot: Snapshot, now: datetime) -> tuple[Node, ...]:
    """The nodes of the pools whose server answers."""
    stale_after = timedelta(seconds=policy.scaling.stale_after_s)
    return tuple(
        Node(name, pool.name)
        for pool in policy.pools
        if snapshot.server(pool.name).fresh(now, stale_after) is not None
        for name in pool.node_names()
    )


def observed(policy: Policy, snapshot: Snapshot, now: datetime) -> dict[Placement, LoadedModel]:
    """What the answering servers hold or are loading."""
    stale_after = timedelta(seconds=policy.scaling.stale_after_s)
    found = {}
    for pool in policy.pools:
        server = snapshot.server(pool.name).fresh(now, stale_after)
        for loaded in server.models if server else ():
            if loaded.state is not ModelState.UNAVAILABLE and loaded.instances:
                found[Placement(loaded.model, loaded.variant, pool.name)] = loaded
    return found


def located(loaded: Mapping[Placement, LoadedModel], state: State, nodes: tuple[Node, ...]) -> tuple[Running, ...]:
    """Observed instances on nodes: where the last plan put them, what it does not know spread over the pool's nodes."""
    known = {str(placement): placement for placement in loaded}
    planned: dict[Placement, dict[str, int]] = {}
    for item in state.plan.instances:
        placement = known.get(placement_of(item.option))
        if placement is not None:
            planned.setdefault(placement, {})[item.node] = item.count
    nodes_of: dict[str, list[str]] = {}
    for node in nodes:
        nodes_of.setdefault(node.pool, []).append(node.name)
    found = []
    for placement, model in sorted(loaded.items()):
        here = nodes_of.get(placement.pool, [])
        counts = _spread(model.instances, planned.get(placement, {}), here)
        found += [Running(placement, node, count) for node, count in counts.items() if count]
    return tuple(found)


def _spread(instances: int, planned: Mapping[str, int], nodes: list[str]) -> dict[str, int]:
    counts = dict.fromkeys(nodes, 0)
    left = instances
    for node in nodes:
        counts[node] = min(left, planned.get(node, 0))
        left -= counts[node]
    turn = 0
    while left and nodes:
        counts[nodes[turn % len(nodes)]] += 1
        left, turn = left - 1, turn + 1
    return counts


def running_plan(problem: Problem, loaded: Mapping[Placement, LoadedModel], state: State) -> Plan:
    """The plan that describes what runs: observed instances, and the last routes as far as what they name still runs.

    A way whose placements are not all there carries nothing; what it carried counts as unserved.
    """
    settings: dict[Placement, list[Option]] = {}
    for each in problem.options:
        settings.setdefault(each.placement, []).append(each)
    planned = state.plan.used_options()
    chosen = {
        placement: option
        for placement, model in loaded.items()
        if (option := _option_of(settings.get(placement, []), model, planned)) is not None
    }
    instances = [
        Instances(chosen[item.placement].id, item.node, item.count)
        for item in problem.running
        if item.placement in chosen
    ]
    paths = {use: path.id for use, path in by_options(problem).items()}
    routes: dict[str, int] = {}
    for route_set in state.fleet.routes:
        for way in route_set.ways:
            options = tuple(chosen[p].id if p in chosen else "" for p in way.placements)
            path = paths.get((f"{route_set.service}@{route_set.origin}", options))
            if path is not None:
                routes[path] = routes.get(path, 0) + way.weight_permille
    served: dict[str, int] = {}
    for path_id, share in routes.items():
        demand = problem.path(path_id).demand
        served[demand] = served.get(demand, 0) + share
    return Plan(
        instances=tuple(sorted(instances)),
        routes=tuple(sorted(Route(*item) for item in routes.items())),
        unserved=tuple(
            sorted(
                Unserved(demand.id, WHOLE_PERMILLE - served.get(demand.id, 0))
                for demand in problem.demands
                if served.get(demand.id, 0) < WHOLE_PERMILLE
            )
        ),
        degraded=_levels(problem, state.plan),
    )


def _levels(problem: Problem, plan: Plan) -> tuple[Degraded, ...]:
    """The levels of a plan, of services that there still are, and no higher than their degrade order goes by now."""
    tops = {service.name: len(service.degrade) + 1 for service in problem.policy.services}
    known = [item for item in plan.degraded if item.service in tops]
    return tuple(Degraded(item.service, min(item.level, tops[item.service])) for item in known)


def _option_of(here: Sequence[Option], model: LoadedModel, planned: frozenset[str]) -> Option | None:
    """Of a placement's options the planned one, if the server is set like it; else the busiest that is set so."""
    for option in here:
        if option.id in planned and option.max_batch == model.max_batch:
            return option
    fitting = [option for option in here if option.max_batch == model.max_batch] or here
    return max(fitting, key=lambda option: option.load_permille, default=None)
