"""Servers that take a call and never answer: a pause that grows, and everything else around it."""

from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from nodes_world import NodesWorld

from collectors.snapshot import LoadedModel, ModelState
from controller.actions import Action, Outcome, SetLoad, Unload, seat_of
from controller.decision import Decision, Hung, State, Verdict
from controller.fleet import Load
from controller.loop.remembering import remembered
from controller.planning.hung import LONGEST, PAUSE, looked_at, noted, paused
from controller.planning.set_back import put_right
from controller.planning.whole import size
from policy.findings import Finding
from rules.kernel.problem import Node, Placement
from tests.planning.world import CALM, FRANKFURT, LYON, OCR, PARIS, START, World

WAIT = timedelta(seconds=60)
SEAT = Placement("vad", "fp32", "hall"), "hall-1"
HERE = (Node("hall-1", "hall", own_server=True),)
TWO = Load(SEAT[0], 2, 4, 0, SEAT[1])
SHOWN = LoadedModel("vad", "fp32", ModelState.READY, 2, 4, 0)


@dataclass
class Hanging(World):
    """A world in which calls for some placements are never answered; what was asked of them is in `waited`."""

    hangs: frozenset[Placement] = frozenset()
    waited: list[Action] = field(default_factory=list)

    def acted(self, seconds: int = 5) -> Decision:
        """Let time pass, decide, and carry out what is answered, as the loop does."""
        before, decision = self.state, self._decided(seconds)
        outcomes: list[Outcome] = []
        for wave in decision.transition.waves:
            done = [self._outcome(decision, wave.name, action) for action in wave.actions]
            outcomes += done
            if any(each.error and not (each.wave == "withdraw" and isinstance(each.action, Unload)) for each in done):
                break
        if any(each.hung for each in outcomes):
            self.now += WAIT
        self.state = remembered(before, decision, outcomes)
        return decision

    def _outcome(self, decision: Decision, wave: str, action: Action) -> Outcome:
        seat = seat_of(action)
        if seat is not None and seat[0] in self.hangs:
            self.waited.append(action)
            return Outcome(decision.id, wave, action, self.now, self.now + WAIT, "it hangs", seat)
        if seat is not None:
            self.hold(seat[0], action.load if isinstance(action, SetLoad) else None)
        return Outcome(decision.id, wave, action, self.now, self.now)

    def hold(self, placement: Placement, load: Load | None) -> None:
        held = self.servers[placement.pool] or ()
        others = tuple(each for each in held if (each.model, each.variant) != (placement.model, placement.variant))
        self.servers[placement.pool] = (*others, *((loaded(load),) if load else ()))


def loaded(load: Load) -> LoadedModel:
    p = load.placement
    return LoadedModel(p.model, p.variant, ModelState.READY, load.instances, load.max_batch, load.queue_delay_us)


def settled(**changed: object) -> Hanging:
    world = Hanging(**changed)  # type: ignore[arg-type]
    world.rest()
    return world


def told(decision: Decision) -> list[Finding]:
    return [finding for finding in decision.findings if finding.id == "GW2147"]


def more_at(site: str) -> dict[tuple[str, str], int]:
    return {key: rate * (20 if key[1] == site else 1) for key, rate in CALM.items()}


def where(decision: Decision, service: str, origin: str) -> set[str]:
    (found,) = (item.ways for item in decision.fleet.routes if (item.service, item.origin) == (service, origin))
    return {placement.pool for way in found for placement in way.placements}


def first_of(world: Hanging, rates: dict[tuple[str, str], int]) -> frozenset[Placement]:
    """What a world in which nothing hangs would load first for these rates."""
    other = Hanging(world.policy, world.now, world.state, dict(world.servers), rates, certified=dict(world.certified))
    actions = [action for wave in other.turn(5).transition.waves for action in wave.actions]
    return frozenset(action.load.placement for action in actions if isinstance(action, SetLoad))


def test_others_are_loaded_while_one_hangs() -> None:
    world = settled()
    rates = more_at(LYON)
    world.hangs = frozenset((Placement("rec", "fp32", PARIS),))
    assert world.hangs < first_of(world, rates)
    world.rates = rates
    world.acted()
    assert {seat_of(action)[0] for action in world.waited} == world.hangs
    for _ in range(3):
        decision = world.acted()
    assert len(world.waited) == 1, "no turn waits for it again"
    assert decision.verdict is Verdict.KEEP
    assert decision.plan.unserved == (), "it is served by others meanwhile"
    assert [finding.subject for finding in told(decision)] == ["rec/fp32@edge-paris"]
    assert not told(world.acted(120)), (
        "once the pause is over, a plan may have it again, and this one has no need of it"
    )


def test_what_was_loaded_meanwhile_is_used_and_told_no_more() -> None:
    world = settled()
    world.rates = more_at(LYON)
    world.hangs = frozenset((Placement("rec", "fp32", PARIS),))
    world.acted()
    (action,) = world.waited
    assert isinstance(action, SetLoad)
    world.hold(action.load.placement, action.load)
    world.hangs = frozenset()
    decision = world.acted()
    assert not told(decision)
    assert decision.state.hung == ()
    assert action not in [each for wave in decision.transition.waves for each in wave.actions]


def test_what_may_no_longer_run_is_unloaded_first_and_by_each_turn_whatever_hangs() -> None:
    world = settled()
    protected = {load.placement for load in world.state.fleet.loads if load.placement.pool == FRANKFURT}
    protected = {each for each in protected if each.model != "vad"}
    assert protected
    world.hangs = frozenset(protected)
    world.certification_ends(FRANKFURT, seconds=30)
    asked = []
    for _ in range(8):
        before = len(world.waited)
        decision = world.acted()
        asked.append({action for action in world.waited[before:] if isinstance(action, Unload)})
    assert asked[-1] == asked[-2] == {Unload(each) for each in protected}, "each turn, although they hang"
    first = decision.transition.waves[0]
    assert first.name == "withdraw"
    assert {action for action in first.actions if isinstance(action, Unload)} == {Unload(each) for each in protected}
    assert where(decision, OCR, PARIS) == {PARIS}, "requests have left, and are served elsewhere"


def test_what_is_not_known_to_hang_is_unloaded_first_and_then_what_was_asked_longest_ago() -> None:
    world = settled()
    cls, det, rec = (Placement(name, "fp32", FRANKFURT) for name in ("cls", "det", "rec"))
    before = world.now - timedelta(minutes=1)
    world.state = replace(
        world.state, hung=tuple(Hung(p, "", at, at, 1, "nothing") for p, at in ((cls, world.now), (det, before)))
    )
    world.certification_ends(FRANKFURT, seconds=30)
    asked: list[Placement] = []
    for _ in range(8):
        decision = world.turn(5)
        first = (action for wave in decision.transition.waves[:1] for action in wave.actions)
        asked = [action.placement for action in first if isinstance(action, Unload)]
        if asked:
            break
    assert asked == [rec, det, cls], (
        "only the first four that hang are waited for: the others would be asked by no turn"
    )


def test_what_stands_on_a_server_that_hangs_stays_as_it_is_set() -> None:
    world = settled()
    seat = Placement("rec", "fp32", FRANKFURT), ""
    rates = more_at(LYON)
    assert seat[0] in first_of(world, rates), "it would be set anew"
    (before,) = (load for load in world.state.fleet.loads if load.seat == seat)
    world.rates = rates
    world.state = replace(world.state, hung=(Hung(*seat, world.now, world.now, 1, "2 instances"),))
    decision = world.turn(5)
    assert seat not in {seat_of(action) for wave in decision.transition.waves for action in wave.actions}
    assert before in decision.fleet.loads
    assert decision.verdict is Verdict.CHANGE, "others are loaded all the same"


@pytest.mark.parametrize("most", [size.MOST_STANDS, 0], ids=["whole", "by the engine for large fleets"])
def test_on_servers_of_nodes_others_take_what_one_hangs_on(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(size, "MOST_STANDS", most)
    world = NodesWorld()
    world.rest(12)
    rates = more_at(LYON)
    other = deepcopy(world)
    other.rates = rates
    seats = sorted(action.load.seat for action in _loads(other.turn(5)))
    world.rates = rates
    world.state = replace(world.state, hung=(Hung(*seats[0], world.now, world.now, 1, "2 instances"),))
    decision = world.turn(5)
    assert seats[0] not in {action.load.seat for action in _loads(decision)}
    assert _loads(decision)
    assert decision.plan.unserved == ()


def _loads(decision: Decision) -> list[SetLoad]:
    return [action for wave in decision.transition.waves for action in wave.actions if isinstance(action, SetLoad)]


def outcome(error: str = "it hangs", action: Action | None = None, at: datetime = START) -> Outcome:
    return Outcome("d", "grow", action or SetLoad(TWO), at, at + WAIT, error, SEAT if error else None)


def test_each_wait_in_vain_doubles_the_pause_up_to_half_an_hour() -> None:
    hung: tuple[Hung, ...] = ()
    at, pauses = START, []
    for _ in range(7):
        hung = noted(hung, [outcome(at=at)])
        ended = at + WAIT
        at = ended
        while paused(looked_at(hung, {}, HERE, at), at):
            at += timedelta(seconds=30)
        pauses.append(at - ended)
    assert pauses == [*(PAUSE * n for n in (1, 2, 4, 8)), LONGEST, LONGEST, LONGEST]
    assert (hung[0].since, hung[0].times) == (START, 7)


def test_what_was_done_hangs_no_more() -> None:
    hung = noted((), [outcome()])
    assert [each.seat for each in hung] == [SEAT]
    assert noted(hung, [outcome("")]) == ()
    assert noted(hung, [replace(outcome(), hung=None, error="refused")]) == hung


def test_what_a_site_says_of_seats_that_were_not_asked_counts_for_nothing() -> None:
    other = SEAT[0], "hall-2"
    assert noted((), [replace(outcome(), hung=other)]) == ()


@pytest.mark.parametrize("model", [replace(SHOWN, instances=1), None])
def test_a_server_that_shows_something_else_is_tried_again_sooner(model: LoadedModel | None) -> None:
    before = {} if model else {SEAT: replace(SHOWN, instances=1)}
    now = {SEAT: model} if model else {}
    hung = noted(noted((), [outcome()]), [outcome(at=START + WAIT)])
    hung = looked_at(hung, before, HERE, START + 2 * WAIT)
    at = START + 2 * WAIT + PAUSE
    assert paused(looked_at(hung, before, HERE, at), at)
    assert not paused(looked_at(hung, now, HERE, at), at)


def test_a_server_that_went_away_and_came_back_is_tried_again_sooner() -> None:
    hung = looked_at(noted(noted((), [outcome()]), [outcome()]), {}, HERE, START + WAIT)
    away = looked_at(hung, {}, (), START + WAIT)
    at = START + WAIT + PAUSE
    assert paused(looked_at(hung, {}, HERE, at), at)
    assert not paused(looked_at(away, {}, HERE, at), at)


def test_what_shows_as_wanted_is_forgotten_and_so_is_what_nobody_asks_for_any_more() -> None:
    hung = noted((), [outcome()])
    assert looked_at(hung, {SEAT: SHOWN}, HERE, START + WAIT) == ()
    unload = noted((), [outcome(action=Unload(*SEAT))])
    assert looked_at(unload, {}, HERE, START + WAIT) == ()
    assert looked_at(unload, {SEAT: SHOWN}, HERE, START + WAIT)
    assert looked_at(hung, {}, HERE, START + timedelta(days=1, minutes=2)) == ()


def test_a_clock_that_was_set_back_makes_no_pause_longer() -> None:
    hung = noted((), [outcome(at=START + timedelta(days=14))])
    state = put_right(State(hung=hung), START)
    assert [(each.since, each.at) for each in state.hung] == [(START, START)]
    assert not paused(state.hung, START + PAUSE)


def test_a_state_of_before_is_read_without_anything_that_hangs() -> None:
    assert State().hung == ()
