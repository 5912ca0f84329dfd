"""Between two plans of random fleets, no moment breaks what must hold, and what is reached is a plan by itself."""

from collections import Counter
from dataclasses import replace

import pytest
from every_order import some_order
from moment_judge import Judge, Seen, seen
from moving_fleets import Move, Size, moves

from controller.actions import SetLoad, SetRoutes, Transition, Unload
from controller.fleet import Fleet, fleet_of
from controller.planning.transitions.between import Between
from controller.planning.transitions.ground import Ground
from controller.planning.transitions.transition import nearest_reached, transition
from controller.planning.transitions.walk import walk
from controller.planning.verify import verify
from rules.kernel.plan import Plan

BLOCK = 250
BLOCKS = 40
TINY = Size(pools=2, nodes=2, models=2, settings=1, memory=(3, 8))


def way_to(move: Move, target: Plan) -> tuple[Transition | None, list[tuple[str, Between]]]:
    current = fleet_of(move.start, move.problem)
    ground = Ground(move.problem)
    way = walk(ground, ground.between(move.start), ground.between(target), kept=True)
    return transition(move.problem, move.start, current, target), list(way.moments)


def faults(move: Move, moments: list[Seen]) -> list[str]:
    judge, found, before = Judge(move), [], seen(move, move.start)
    for now in moments:
        found += [*judge.change(before, now), *judge.moment(now)]
        before = now
    return found


def looked_at(moments: list[tuple[str, Between]]) -> list[Seen]:
    return [Seen(moment.standing(), moment.settings, moment.shares) for _, moment in moments]


def followed(move: Move, way: Transition) -> list[Fleet]:
    """What servers hold and gateways follow at first and after each wave, from the actions alone."""
    fleet = fleet_of(move.start, move.problem)
    loads, routes, found = {load.seat: load for load in fleet.loads}, fleet.routes, [fleet]
    for wave in way.waves:
        for action in wave.actions:
            if isinstance(action, SetLoad):
                loads[action.load.seat] = action.load
            elif isinstance(action, Unload):
                del loads[action.seat]
            elif isinstance(action, SetRoutes):
                routes = action.routes
        found.append(Fleet(tuple(sorted(loads.values())), routes))
    return found


def asked_of(moment: Between, ground: Ground) -> Fleet:
    return Fleet(tuple(sorted(ground.loads(moment).values())), ground.routes(moment))


def outcome(seed: int) -> str:
    """How far the way of a random move leads; fails where a moment of it is not as it must be."""
    move = moves(seed)
    reached, target = "whole", move.goal
    way, moments = way_to(move, target)
    if way is None:
        near = nearest_reached(move.problem, move.start, fleet_of(move.start, move.problem), target)
        if near is None:
            return "nothing"
        reached, target = "part", near.plan
        assert not verify(target, move.problem), seed
        way, moments = way_to(move, target)
    assert way is not None, seed
    assert faults(move, looked_at(moments)) == [], seed
    ground = Ground(move.problem)
    passed = [fleet_of(move.start, move.problem), *(asked_of(moment, ground) for _, moment in moments)]
    assert [fleet for fleet in followed(move, way) if fleet not in passed] == [], seed
    assert followed(move, way)[-1] == fleet_of(target, move.problem), seed
    return reached


def block(first: int, many: int) -> Counter[str]:
    return Counter(outcome(seed) for seed in range(first, first + many))


def test_no_moment_of_some_hundred_random_transitions_breaks_a_rule() -> None:
    found = block(0, 120)
    assert found["whole"] > found["nothing"]
    assert found["part"] > 0


@pytest.mark.long
@pytest.mark.parametrize("first", range(0, BLOCK * BLOCKS, BLOCK))
def test_no_moment_of_ten_thousand_random_transitions_breaks_a_rule(first: int) -> None:
    assert block(first, BLOCK).total() == BLOCK


def test_the_judge_objects_to_ways_in_another_order() -> None:
    """The goal's routes before what they need, its instances alone at once, or half of what stands, at each moment.

    Not all of these are wrong: what stands can happen to answer either routes.
    """
    wrong, objected = 0, Counter[str]()
    for seed in range(60):
        move = moves(seed)
        way, moments = way_to(move, move.goal)
        ahead = looked_at(moments) if way is not None else []
        now = seen(move, move.start)
        for at, _ in enumerate(ahead[:-1]):
            then = ahead[-1]
            for moment in (
                replace(now, routing=then.routing),
                replace(now, standing=then.standing, batching=then.batching),
                replace(now, standing={spot: count // 2 for spot, count in now.standing.items() if count > 1}),
            ):
                if moment not in ahead:
                    found = faults(move, [*ahead[:at], moment])
                    wrong += 1
                    objected.update({text.split(":")[0] for text in found} | ({"any"} if found else set()))
            now = ahead[at]
    assert wrong > 100
    assert objected["any"] > wrong * 7 // 10
    assert {"routes", "capacity", "memory", "share"} <= set(objected)


def missed(first: int, many: int) -> tuple[list[int], int, int]:
    """The seeds of tiny moves that some order makes and the planner does not; how many it makes, how many nothing can.

    Where some order exists, all that the planner may say instead is a nearer plan or none at all.
    """
    found, made, impossible = [], 0, 0
    for seed in range(first, first + many):
        move = moves(seed, TINY)
        if sum(item.count for plan in (move.start, move.goal) for item in plan.instances) > 12:
            continue
        if way_to(move, move.goal)[0] is not None:
            made += 1
        elif some_order(move):
            found.append(seed)
        else:
            impossible += 1
    return found, made, impossible


def test_where_some_order_of_single_moves_is_safe_one_is_found() -> None:
    """Of the first 300 tiny moves. Further on, about one in a thousand is missed: see docs/planning.md."""
    found, made, impossible = missed(0, 300)
    assert found == []
    assert made > 150
    assert impossible > 0
