"""What may not stand leaves first, and nothing of the same way brings it back."""

from dataclasses import replace

import pytest
from world import FRANKFURT, LYON, START, World

from controller.actions import WITHDRAW, SetLoad, SetRoutes, Transition, Unload, Wave, seat_of
from controller.decision import Decision, Hung, Proof
from controller.fleet import Fleet, Load, Seat
from controller.planning.build import build
from controller.planning.choose import Choice
from controller.planning.unwelcome import unloading_first
from rules.kernel.plan import Plan
from rules.kernel.problem import Placement

ELSEWHERE = Placement("vad", "fp32", LYON), ""
DETECT = Load(Placement("det", "fp32", FRANKFURT), 2, 4, 0)


def hanging(world: World, *seats: Seat) -> World:
    """The world in which servers hang on these seats, and keep their pause."""
    world.state = replace(
        world.state, hung=tuple(Hung(*seat, world.now, world.now, 1, "9 instances") for seat in seats)
    )
    return world


def settled() -> tuple[World, list[Seat]]:
    """A world at rest, and the seats in Frankfurt of models that nobody may use there from now on."""
    world = World()
    world.rest()
    seats = sorted(load.seat for load in world.state.fleet.loads if load.placement.pool == FRANKFURT)
    world.certification_ends(FRANKFURT, -1)
    return world, [seat for seat in seats if seat[0].model != "vad"]


def loaded(decision: Decision) -> set[Seat]:
    actions = (action for wave in decision.transition.waves for action in wave.actions)
    return {action.load.seat for action in actions if isinstance(action, SetLoad)}


def first(choice: Choice, *loads: Load) -> tuple[Wave, ...]:
    found = unloading_first(choice, Fleet(loads), (), START)
    assert found.way is not None
    return found.way.waves


def choice(*waves: Wave) -> Choice:
    """A way in a world in which Frankfurt may have nothing of card data."""
    world = World()
    world.certified.pop(FRANKFURT)
    whole = build(world.policy, world.snapshot(), world.state, world.now).whole
    return Choice(Plan(), Proof.FEASIBLE, Transition(waves), whole)


def test_what_may_not_stand_leaves_before_anything_is_loaded_that_a_server_may_refuse() -> None:
    world, protected = settled()
    decision = world.turn(5)
    wave = decision.transition.waves[0]
    assert wave.name == WITHDRAW
    assert {action.seat for action in wave.actions if isinstance(action, Unload)} == set(protected)
    later = [action for wave in decision.transition.waves[1:] for action in wave.actions]
    assert not any(isinstance(action, Unload) and action.seat in protected for action in later)


def test_what_still_gets_requests_that_it_may_serve_leaves_after_them() -> None:
    world, protected = settled()
    world.certification_ends(FRANKFURT, 20)
    decision = world.turn(5)
    names = {
        wave.name
        for wave in decision.transition.waves
        for action in wave.actions
        if isinstance(action, Unload) and action.seat in protected
    }
    assert names == {"shrink"}


def test_what_is_set_otherwise_than_planned_is_not_loaded_again_once_it_has_left() -> None:
    world, protected = settled()
    models = world.servers[FRANKFURT]
    assert models is not None
    world.servers[FRANKFURT] = tuple(replace(each, queue_delay_us=7_000) for each in models)
    decision = hanging(world, ELSEWHERE).turn(5)
    wave = decision.transition.waves[0]
    assert wave.name == WITHDRAW
    assert [action for action in wave.actions if not isinstance(action, SetRoutes)] == [Unload(*s) for s in protected]
    assert loaded(decision).isdisjoint(protected)


@pytest.mark.parametrize("has", [{"queue_delay_us": 7_000}, {"instances": 2}, {"max_batch": 2}])
def test_what_leaves_after_others_have_taken_over_is_not_put_right_before(has: dict[str, int]) -> None:
    """Its evidence ends soon after the way, by what is predicted: a server that takes longer would have it beyond."""
    world, protected = settled()
    world.certification_ends(FRANKFURT, 20)
    models = world.servers[FRANKFURT]
    assert models is not None
    world.servers[FRANKFURT] = tuple(replace(each, **has) for each in models)
    decision = world.turn(5)
    names = [wave.name for wave in decision.transition.waves]
    assert names == ["route", "shrink"]
    assert {seat_of(action) for action in decision.transition.waves[-1].actions} == set(protected)


def test_what_is_lost_where_it_leaves_is_not_loaded_again_before() -> None:
    world, protected = settled()
    world.certification_ends(FRANKFURT, 20)
    models = world.servers[FRANKFURT]
    assert models is not None
    world.servers[FRANKFURT] = tuple(each for each in models if each.model != protected[0][0].model)
    assert loaded(world.turn(5)).isdisjoint(protected)


def test_what_is_taken_in_part_to_make_room_leaves_whole_and_its_room_is_waited_for() -> None:
    other = Load(Placement("vad", "fp32", FRANKFURT), 1, 4, 0)
    before = choice(
        Wave("free", (SetLoad(replace(DETECT, instances=1)),)),
        Wave("grow", (SetLoad(other),)),
        Wave("shrink", (Unload(*DETECT.seat),)),
    )
    gone = (Unload(*DETECT.seat),)
    assert first(before, DETECT) == (Wave(WITHDRAW, gone), Wave("free", gone), Wave("grow", (SetLoad(other),)))
