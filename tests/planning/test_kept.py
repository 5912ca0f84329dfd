"""What turns share changes no decision, and is worked out once."""

from dataclasses import replace
from datetime import timedelta

import pytest
from world import BUSY, OCR, PARIS, World

from collectors.recording import encode
from controller.decision import Crowding
from controller.planning import kept as kept_module
from controller.planning.build import build
from controller.planning.decide import decide
from controller.planning.kept import Kept


def test_decisions_are_the_same_with_what_was_kept_and_without() -> None:
    world, kept = World(rates=dict(BUSY)), Kept()
    for turn in range(4):
        if turn == 2:
            world.rates = {key: rate * 2 for key, rate in world.rates.items()}
        snapshot = world.snapshot()
        found = decide(world.policy, snapshot, world.state, world.now, kept)
        assert encode(found) == encode(decide(world.policy, snapshot, world.state, world.now))
        world.state, world.now = found.state, world.now + timedelta(seconds=15)


def test_other_rates_leave_paths_as_they_were_and_other_policies_and_margins_do_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []
    paths = kept_module.paths
    monkeypatch.setattr(kept_module, "paths", lambda *given: asked.append(given[1].id) or paths(*given))
    world, kept = World(rates=dict(BUSY)), Kept()
    first = build(world.policy, world.snapshot(), world.state, world.now, kept).whole
    assert sorted(asked) == sorted(demand.id for demand in first.demands)
    asked.clear()
    world.rates = {key: rate * 2 for key, rate in world.rates.items()}
    again = build(world.policy, world.snapshot(), world.state, world.now, kept).whole
    assert not asked
    assert again.demands != first.demands
    assert all(one is other for one, other in zip(first.paths, again.paths, strict=True))
    other = replace(world.policy, revision="another")
    build(other, world.snapshot(), world.state, world.now, kept)
    assert sorted(asked) == sorted(demand.id for demand in first.demands)


def test_only_the_demand_that_is_seen_otherwise_gets_new_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    paths = kept_module.paths
    monkeypatch.setattr(kept_module, "paths", lambda *given: asked.append(given[1].id) or paths(*given))
    world = World(rates=dict(BUSY))
    built = build(world.policy, world.snapshot(), world.state, world.now)
    kept = Kept()
    habits = {demand.id: kept_module.Habits() for demand in built.whole.demands}
    bare = replace(built.whole, paths=())
    looked = kept_module.Looked({}, {}, {})
    kept.paths(bare, built.speed, lambda demand: habits[demand.id], looked)
    asked.clear()
    habits[f"{OCR}@{PARIS}"] = kept_module.Habits(margin_permille=1_200)
    kept.paths(bare, built.speed, lambda demand: habits[demand.id], looked)
    assert asked == [f"{OCR}@{PARIS}"]


def test_only_the_services_of_a_model_that_is_slowed_get_new_options_and_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    world, kept = World(rates=dict(BUSY)), Kept()
    first = build(world.policy, world.snapshot(), world.state, world.now, kept).whole
    asked = []
    paths = kept_module.paths
    monkeypatch.setattr(kept_module, "paths", lambda *given: asked.append(given[1].id) or paths(*given))
    place = first.options[0].placement
    slowed = replace(world.state, crowding=(Crowding(place, 1_500),))
    again = build(world.policy, world.snapshot(), slowed, world.now, kept).whole
    touched = {s.name for s in world.policy.services if any(stage.model == place.model for stage in s.stages)}
    assert sorted(asked) == sorted(demand.id for demand in first.demands if demand.service in touched)
    assert 0 < len(asked) < len(first.demands)
    before = {option.id: option for option in first.options}
    assert all((before[o.id] is o) is (o.placement.model != place.model) for o in again.options)
    alone = build(world.policy, world.snapshot(), slowed, world.now).whole
    assert alone.options == again.options
    assert alone.paths == again.paths
