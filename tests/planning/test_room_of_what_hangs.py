"""What stands on a seat that has a pause takes its room: others are planned beside it, or nothing is added at all."""

from dataclasses import replace

import pytest
from nodes_world import NodesWorld

from collectors.snapshot import LoadedModel, ModelState
from controller.actions import SetLoad
from controller.decision import Decision, Hung, Proof, Verdict
from controller.planning import cheapest
from controller.planning.whole import size
from policy.resolved import Policy
from rules.kernel.problem import Placement
from tests.planning.world import CALM, LYON, OCR, PARIS, finding_ids

HERE = f"{PARIS}-0"
HALF = Placement("vad", "half", PARIS)
MOST_STANDS = pytest.mark.parametrize("most", [size.MOST_STANDS, 0], ids=["whole", "by the engine for large fleets"])


def with_memory(policy: Policy, mib: int) -> Policy:
    pools = tuple(replace(pool, memory_mib=mib) if pool.name == PARIS else pool for pool in policy.pools)
    return replace(policy, revision=f"{mib} MiB", pools=pools)


def hanging(world: NodesWorld, *placements: Placement) -> None:
    found = (Hung(placement, HERE, world.now, world.now, 1, "nothing") for placement in placements)
    world.state = replace(world.state, hung=tuple(found))


def held_mib(world: NodesWorld) -> int:
    memory = {(m.name, v.name): v.memory_mib for m in world.policy.models for v in m.variants}
    return sum(each.instances * memory[each.model, each.variant] for each in world.nodes[PARIS, HERE] or ())


def beside_what_is_to_go() -> NodesWorld:
    """Paris holds 480 MiB that nobody needs and that cannot be unloaded, so 20 MiB are left, and more is asked."""
    world = NodesWorld(policy=with_memory(NodesWorld().policy, 1_900))
    world.rest(12)
    idle = LoadedModel("vad", "half", ModelState.READY, 8, 4, 0)
    world.nodes[PARIS, HERE] = (*(world.nodes[PARIS, HERE] or ()), idle)
    hanging(world, HALF)
    world.rates = {key: rate * (20 if key[1] == LYON else 1) for key, rate in CALM.items()}
    return world


def loaded(decision: Decision) -> set[Placement]:
    actions = (action for wave in decision.transition.waves for action in wave.actions)
    return {action.load.placement for action in actions if isinstance(action, SetLoad)}


@MOST_STANDS
def test_what_has_no_room_beside_it_is_loaded_elsewhere(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(size, "MOST_STANDS", most)
    world = beside_what_is_to_go()
    decision = world.turn(5)
    assert "GW2013" not in finding_ids(decision), "what is planned can be reached"
    assert "rec" in {placement.model for placement in loaded(decision)}, "more is loaded at once"
    assert PARIS not in {placement.pool for placement in loaded(decision)}
    assert held_mib(world) <= 1_900


def test_while_it_hangs_the_same_is_not_planned_in_each_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    world = beside_what_is_to_go()
    world.turn(5)
    world.rest()
    asked = counted(monkeypatch)
    world.state = replace(world.state, hung=tuple(replace(each, at=world.now) for each in world.state.hung))
    for _ in range(3):
        decision = world.turn(5)
        assert decision.verdict is Verdict.KEEP
        assert decision.proof is not Proof.OPTIMAL, "it is what could be reached, and a better plan is known"
    assert not asked


def counted(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    asked: list[object] = []
    solve = cheapest.solve

    def counting(*args: object) -> object:
        asked.append(args)
        return solve(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(cheapest, "solve", counting)
    return asked


@MOST_STANDS
def test_where_even_what_hangs_does_not_fit_all_stays_and_nothing_is_asked(
    monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    world = NodesWorld()
    before = world.rest(12).fleet
    monkeypatch.setattr(size, "MOST_STANDS", most)
    world.policy = with_memory(world.policy, 1_000)
    hanging(world, *(Placement(name, "fp32", PARIS) for name in ("det", "rec")))
    for _ in range(3):
        decision = world.turn(5)
        assert decision.transition.waves == ()
        assert decision.fleet == before, "no service loses its second site for what cannot be taken away"
        assert not [each for each in decision.plan.degraded if each.service == OCR]


def test_it_is_not_planned_anew_either(monkeypatch: pytest.MonkeyPatch) -> None:
    world = NodesWorld()
    world.rest(12)
    world.policy = with_memory(world.policy, 1_000)
    hanging(world, *(Placement(name, "fp32", PARIS) for name in ("det", "rec")))
    world.turn(5)
    asked = counted(monkeypatch)
    world.turn(5)
    assert not asked


@MOST_STANDS
def test_nothing_is_added_where_even_what_hangs_does_not_fit(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(size, "MOST_STANDS", most)
    world = NodesWorld()
    world.rest(12)
    world.policy = with_memory(world.policy, 1_000)
    hanging(world, *(Placement(name, "fp32", PARIS) for name in ("det", "rec")))
    world.rates = {key: rate * (20 if key[1] == LYON else 1) for key, rate in CALM.items()}
    there = held_mib(world)
    for _ in range(4):
        decision = world.turn(5)
        assert PARIS not in {placement.pool for placement in loaded(decision)}
        assert held_mib(world) <= there
    assert decision.plan.unserved == ()


def test_what_does_not_fit_leaves_once_the_pause_is_over() -> None:
    world = NodesWorld()
    world.rest(12)
    world.policy = with_memory(world.policy, 1_000)
    hanging(world, *(Placement(name, "fp32", PARIS) for name in ("det", "rec")))
    world.turn(5)
    world.turn(120)
    assert held_mib(world) <= 1_000


def test_others_leave_a_node_on_which_they_do_not_fit_beside_what_hangs() -> None:
    world = NodesWorld()
    world.rest(12)
    world.policy = with_memory(world.policy, 1_300)
    hanging(world, Placement("rec", "fp32", PARIS))
    world.turn(5)
    world.turn(5)
    assert held_mib(world) <= 1_300
