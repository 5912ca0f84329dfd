"""What a server was asked for and does not show takes its room: it may be there already, or come."""

from dataclasses import replace
from datetime import timedelta

import pytest
from nodes_world import NodesWorld

from collectors.snapshot import LoadedModel, ModelState
from controller.actions import GIVEN_UP, Outcome, SetLoad, Unload
from controller.decision import Decision, Hung
from controller.fleet import Load
from controller.planning.hung import PAUSE, noted
from controller.planning.whole import size
from rules.kernel.problem import Placement
from tests.planning.test_room_of_what_hangs import loaded, with_memory
from tests.planning.world import CALM, LYON, PARIS

HERE = f"{PARIS}-0"
HALF = Placement("vad", "half", PARIS)
MOST_STANDS = pytest.mark.parametrize("most", [size.MOST_STANDS, 0], ids=["whole", "by the engine for large fleets"])


def resizing(times: int, shown: int = 1) -> NodesWorld:
    """Paris has 480 MiB beside what it needs: one or no instance of 60 MiB is shown there, and eight were asked for."""
    world = NodesWorld(policy=with_memory(NodesWorld().policy, 1_900))
    world.rest(12)
    there = (LoadedModel("vad", "half", ModelState.READY, shown, 4, 0),) if shown else ()
    world.nodes[PARIS, HERE] = (*(world.nodes[PARIS, HERE] or ()), *there)
    hung = Hung(HALF, HERE, world.now, world.now, times, "8 instances with batches of 4 after 0 us", instances=8)
    world.state = replace(world.state, hung=(hung,))
    world.rates = {key: rate * (20 if key[1] == LYON else 1) for key, rate in CALM.items()}
    return world


def most_mib(world: NodesWorld, before: tuple[LoadedModel, ...], decision: Decision) -> int:
    """What the server of Paris may hold at most while this is done, eight instances of what was begun among it."""
    memory = {(m.name, v.name): v.memory_mib for m in world.policy.models for v in m.variants}
    counts = {Placement(each.model, each.variant, PARIS): each.instances for each in before}
    most = 0
    for wave in decision.transition.waves:
        then = dict(counts)
        for action in wave.actions:
            if isinstance(action, SetLoad) and action.load.node == HERE:
                then[action.load.placement] = action.load.instances
            elif isinstance(action, Unload) and action.node == HERE:
                then[action.placement] = 0
        both = {each: max(counts.get(each, 0), count) for each, count in then.items()} | {HALF: 8}
        most = max(most, sum(count * memory[each.model, each.variant] for each, count in both.items()))
        counts = then
    return most


@MOST_STANDS
@pytest.mark.parametrize("times", [0, 1], ids=["given up", "hangs"])
@pytest.mark.parametrize("shown", [0, 1], ids=["a load", "a resize"])
def test_nothing_is_planned_into_the_room_of_what_was_begun(
    monkeypatch: pytest.MonkeyPatch, most: int, times: int, shown: int
) -> None:
    monkeypatch.setattr(size, "MOST_STANDS", most)
    world = resizing(times, shown)
    before = world.nodes[PARIS, HERE] or ()
    decision = world.turn(5)
    assert loaded(decision), "more is asked for, and others have room"
    assert most_mib(world, before, decision) <= 1_900


def test_once_it_is_shown_or_was_given_up_for_long_its_room_is_free_again() -> None:
    world = resizing(0)
    world.now += PAUSE + timedelta(seconds=1)
    before = world.nodes[PARIS, HERE] or ()
    assert most_mib(world, before, world.turn(5)) > 1_900


@pytest.mark.parametrize("loads", [False, True])
def test_what_hung_at_a_server_that_was_started_anew_keeps_no_room_once_its_pause_is_over(*, loads: bool) -> None:
    world = resizing(1, shown=0)
    world.now += PAUSE + timedelta(seconds=1)
    coming = (LoadedModel("vad", "half", ModelState.LOADING, 0, 0, 0),) if loads else ()
    before = world.nodes[PARIS, HERE] or ()
    world.nodes[PARIS, HERE] = (*before, *coming)
    assert (most_mib(world, before, world.turn(5)) > 1_900) is not loads


def test_what_was_given_up_is_noted_and_has_no_pause() -> None:
    world = NodesWorld()
    seat = HALF, HERE
    loads = [SetLoad(Load(HALF, count, 4, 0, HERE)) for count in (8, 2)]
    begun = [Outcome("d", "grow", load, world.now, world.now, GIVEN_UP) for load in loads]
    (hung,) = noted((), begun[:1])
    assert (hung.seat, hung.times, hung.instances) == (seat, 0, 8)
    (hung,) = noted((hung,), begun[1:])
    assert hung.instances == 8, "it was asked for less since, and may have them all"
    assert noted((hung,), [replace(begun[1], error="")]) == ()
