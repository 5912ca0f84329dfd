"""What runs now, in a problem's terms: observed instances on nodes, and the routes that were last set."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from collectors.snapshot import LoadedModel, ModelState, Presence, ServerState, Snapshot
from controller.decision import State
from controller.fleet import Seat
from controller.planning.inventoried import closed_nodes
from controller.planning.options import placement_of
from controller.planning.sending import by_options
from policy.resolved import Policy
from rules.kernel.plan import Degraded, Instances, Plan, Route, Unserved
from rules.kernel.problem import WHOLE_PERMILLE, Node, Option, Placement, Problem, Running


def usable_nodes(policy: Policy, snapshot: Snapshot, now: datetime) -> tuple[Node, ...]:
    """The nodes that are not closed and whose server answers: their own, or the one of all nodes of their pool.

    A node that a cluster tells of, and that has no server yet, gets it with its first load. One whose server is ready
    and was not read is not used: what that holds is not known.
    """
    answering, closed = _answering(policy, snapshot, now), closed_nodes(snapshot)
    told = {(server.pool, server.node) for server in snapshot.servers}
    in_cluster = {item.pool for item in snapshot.inventory}
    waiting = {
        (item.pool, node.name)
        for item in snapshot.inventory
        for node in item.reading.value or ()
        if node.is_ready and node.server is not Presence.READY
    }
    with_own = {pool for pool, node in told if node} | {pool for pool in in_cluster if (pool, "") not in told}

    def is_usable(server: tuple[str, str]) -> bool:
        return server in answering or (server not in told and server in waiting)

    return tuple(
        Node(name, pool.name, own_server=pool.name in with_own)
        for pool in policy.pools
        for name in pool.node_names()
        if name not in closed and is_usable((pool.name, name if pool.name in with_own else ""))
    )


def _answering(policy: Policy, snapshot: Snapshot, now: datetime) -> dict[tuple[str, str], ServerState]:
    """What the servers hold that answer, by pool and node."""
    stale_after = timedelta(seconds=policy.scaling.stale_after_s)
    return {
        (server.pool, server.node): state
        for server in snapshot.servers
        if (state := server.reading.fresh(now, stale_after)) is not None
    }


def observed(policy: Policy, snapshot: Snapshot, now: datetime) -> dict[Seat, LoadedModel]:
    """What the answering servers of usable nodes hold or are loading."""
    held = _held(policy, snapshot, now)
    return {
        seat: model for seat, model in held.items() if model.state is not ModelState.UNAVAILABLE and model.instances
    }


def moving(policy: Policy, snapshot: Snapshot, now: datetime) -> frozenset[Seat]:
    """What the answering servers of usable nodes are loading or unloading, of which they tell no instances."""
    held = _held(policy, snapshot, now)
    return frozenset(seat for seat, model in held.items() if model.state is ModelState.LOADING)


def _held(policy: Policy, snapshot: Snapshot, now: datetime) -> dict[Seat, LoadedModel]:
    answering = _answering(policy, snapshot, now)
    return {
        (Placement(model.model, model.variant, pool), node): model
        for pool, node in dict.fromkeys(
            (node.pool, node.name if node.own_server else "") for node in usable_nodes(policy, snapshot, now)
        )
        for model in (answering[pool, node].models if (pool, node) in answering else ())
    }


def located(loaded: Mapping[Seat, LoadedModel], state: State, nodes: tuple[Node, ...]) -> tuple[Running, ...]:
    """Observed instances on nodes.

    Those of a server that stands for a whole pool are where the last plan put them; what it does not know is spread
    over the pool's nodes.
    """
    known = {str(placement): placement for placement, _ in loaded}
    planned: dict[Placement, dict[str, int]] = {}
    for item in state.plan.instances:
        placement = known.get(placement_of(item.option))
        if placement is not None:
            planned.setdefault(placement, {})[item.node] = item.count
    nodes_of: dict[str, list[str]] = {}
    for node in nodes:
        nodes_of.setdefault(node.pool, []).append(node.name)
    found = []
    for (placement, node_of_server), model in sorted(loaded.items()):
        here = [node_of_server] if node_of_server else nodes_of.get(placement.pool, [])
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


def running_plan(problem: Problem, loaded: Mapping[Seat, LoadedModel], state: State) -> Plan:
    """The plan that describes what runs: observed instances, and the last routes as far as what they name still runs.

    Where servers of a pool are set otherwise, the setting of most instances is that of the placement.
    A way whose placements are not all there carries nothing; what it carried counts as unserved.
    """
    settings: dict[Placement, list[Option]] = {}
    for each in problem.options:
        settings.setdefault(each.placement, []).append(each)
    planned = state.plan.used_options()
    chosen = {
        placement: option
        for placement, model in _settings(loaded).items()
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


def _settings(loaded: Mapping[Seat, LoadedModel]) -> dict[Placement, LoadedModel]:
    """By placement, what stands on the server that has most of its instances."""
    most: dict[Placement, LoadedModel] = {}
    for (placement, _), model in sorted(loaded.items()):
        if placement not in most or model.instances > most[placement].instances:
            most[placement] = model
    return most


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
