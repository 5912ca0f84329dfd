"""Where each node has a server of its own: requests never go to a server that does not hold what they ask for.

Judged action by action, from what actions say alone.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace

import pytest
from moving_fleets import Move, moves

from controller.actions import Action, SetLoad, SetRoutes, Transition, Unload
from controller.fleet import Fleet, Load, RouteSet, Seat, fleet_of, seat_name
from controller.planning.transitions.transition import nearest_reached, transition
from rules.kernel.plan import Plan
from rules.kernel.problem import Placement


def by_node(seed: int) -> Move:
    """A random move of which every node has a server."""
    move = moves(seed)
    nodes = tuple(replace(node, own_server=True) for node in move.problem.nodes)
    return replace(move, problem=replace(move.problem, nodes=nodes))


@dataclass
class Watch:
    """Follows actions one by one, as servers and gateways would, and notes what must not be."""

    move: Move
    loads: dict[Seat, Load]
    routes: dict[tuple[str, str], RouteSet]
    faults: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, move: Move, fleet: Fleet) -> "Watch":
        return cls(move, {load.seat: load for load in fleet.loads}, {(r.service, r.origin): r for r in fleet.routes})

    def take(self, action: Action) -> None:
        if isinstance(action, SetLoad):
            self.loads[action.load.seat] = action.load
        elif isinstance(action, Unload):
            del self.loads[action.seat]
        elif isinstance(action, SetRoutes):
            self.routes |= {(item.service, item.origin): item for item in action.routes}
        self.look(str(action))

    def look(self, when: str) -> None:
        for item in self.routes.values():
            for placement in {placement for way in item.ways for placement in way.placements}:
                if not item.nodes_of(placement):
                    self.faults.append(f"{when}: {item.service} goes to no node of {placement}")
            for seat in ((parts.placement, node) for parts in item.parts for node, _ in parts.nodes):
                if seat not in self.loads:
                    self.faults.append(f"{when}: {item.service} goes to {seat_name(seat)}, which is not there")
        sizes = {option.placement: option.memory_mib for option in self.move.problem.options}
        used = Counter[str]()
        for load in self.loads.values():
            used[load.node] += load.instances * sizes[load.placement]
        for node in self.move.problem.nodes:
            if used[node.name] > self.move.problem.policy.pool(node.pool).memory_mib:
                self.faults.append(f"{when}: {node.name} holds more than it has memory for")

    def crowded(self) -> list[str]:
        """Servers that get another part of a placement's requests than they have of its instances."""
        standing: defaultdict[Placement, dict[str, int]] = defaultdict(dict)
        for (placement, node), load in self.loads.items():
            standing[placement][node] = load.instances
        return [
            f"{item.service}: {parts}"
            for item in self.routes.values()
            for parts in item.parts
            for node, weight in parts.nodes
            if weight * sum(standing[parts.placement].values())
            != standing[parts.placement][node] * sum(each for _, each in parts.nodes)
        ]


def way_to(move: Move) -> tuple[Plan, Transition] | None:
    current = fleet_of(move.start, move.problem)
    way = transition(move.problem, move.start, current, move.goal)
    if way is not None:
        return move.goal, way
    near = nearest_reached(move.problem, move.start, current, move.goal)
    return None if near is None else (near.plan, near.way)


def outcome(seed: int) -> str:
    move = by_node(seed)
    found = way_to(move)
    if found is None:
        return "nothing"
    target, way = found
    watch = Watch.of(move, fleet_of(move.start, move.problem))
    for wave in way.waves:
        for action in wave.actions:
            watch.take(action)
    assert watch.faults == [], seed
    assert watch.crowded() == [], seed
    loads, routes = tuple(sorted(watch.loads.values())), tuple(sorted(watch.routes.values()))
    assert Fleet(loads, routes) == fleet_of(target, move.problem), seed
    return "moved"


def test_no_action_of_random_transitions_leaves_requests_at_a_server_without_what_they_ask_for() -> None:
    assert Counter(outcome(seed) for seed in range(120))["moved"] > 60


@pytest.mark.long
def test_no_action_of_two_thousand_random_transitions_does() -> None:
    assert Counter(outcome(seed) for seed in range(120, 2_000))["moved"] > 900


def test_the_watch_objects_where_instances_go_before_their_requests_do() -> None:
    move = next(move for move in map(by_node, range(60)) if fleet_of(move.start, move.problem).routes[0].parts)
    fleet = fleet_of(move.start, move.problem)
    parts = fleet.routes[0].parts[0]
    watch = Watch.of(move, fleet)
    watch.take(Unload(parts.placement, parts.nodes[0][0]))
    assert watch.faults


def test_actions_ask_for_the_same_as_one_server_for_the_whole_pool_does() -> None:
    """By node, what is loaded of a placement sums to what its pool's one server would hold."""
    for seed in range(20):
        move = by_node(seed)
        shared = replace(move.problem, nodes=tuple(replace(node, own_server=False) for node in move.problem.nodes))
        own, whole = fleet_of(move.goal, move.problem), fleet_of(move.goal, shared)
        assert own.instances() == whole.instances()
        assert {load.node for load in whole.loads} <= {""}
        assert [(item.service, item.ways) for item in own.routes] == [
            (item.service, item.ways) for item in whole.routes
        ]
