"""Servers that hang while a transition is carried out: what is waited for, what is not begun, and what goes on."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from controller.acting.actuator import HangError
from controller.acting.dry_run import DryRun
from controller.actions import WITHDRAW, Action, SetLoad, Transition, Unload, Wave, seat_of
from controller.decision import Hung, State
from controller.fleet import Load, Seat
from controller.loop.at_work import Hands
from controller.loop.turn import Memory, Turned, Wiring
from policy.resolved import Policy
from rules.kernel.problem import Placement
from tests.loop.building import DETECT, MOVE, NOW, OLD_DETECT, keep, move
from tests.loop.test_loop import ids, one_turn

LOADS = tuple(Load(Placement(f"m{number}", "fp32", "edge"), 1, 1, 0) for number in range(10))
HANGS = Hung(OLD_DETECT, "", NOW, NOW, 1, "nothing")


class Hanging(DryRun):
    """Does what it is asked, but for `hangs`, of which no answer comes, for so long or for good."""

    name = "triton"

    def __init__(self, *hangs: Placement, gives_up: bool = True) -> None:
        super().__init__()
        self.hangs = hangs
        self.gives_up = gives_up
        self.asked: list[Action] = []
        self.ended: list[Seat] = []

    async def apply(self, decision_id: str, action: Action, policy: Policy) -> None:
        self.asked.append(action)
        seat = seat_of(action)
        if seat is None or seat[0] not in self.hangs:
            await super().apply(decision_id, action, policy)
        elif self.gives_up:
            raise HangError(f"{seat[0]}: not as wanted within 60 s", seat)
        else:
            try:
                await asyncio.Event().wait()
            finally:
                self.ended.append(seat)


async def carried(wiring: Wiring, hands: Hands, *waves: Wave, state: State | None = None) -> Turned:
    decision = replace(keep(state or State()), transition=Transition(waves))
    return await one_turn(replace(wiring, decide=lambda *_: decision, hands=hands), Memory(state=state or State()))


async def test_what_hangs_is_remembered_with_when_and_what_was_asked(wiring: Wiring) -> None:
    turned = await one_turn(replace(wiring, hands=Hands((Hanging(DETECT),))))
    (hung,) = turned.memory.state.hung
    assert (hung.seat, hung.times, hung.shown) == ((DETECT, ""), 1, "")
    assert hung.wanted == "2 instances with batches of 4 after 1000 us"
    assert not turned.is_reached
    assert ids(turned) == ["GW3004"]


async def test_what_is_not_done_within_the_deadline_hangs(wiring: Wiring) -> None:
    hands = Hands((Hanging(DETECT, gives_up=False),), deadline=timedelta(milliseconds=20))
    turned = await one_turn(replace(wiring, hands=hands))
    assert [each.seat for each in turned.memory.state.hung] == [(DETECT, "")]


async def test_what_is_done_in_the_end_hangs_no_more(wiring: Wiring, dry: DryRun) -> None:
    before = State(hung=(HANGS,))
    decision = replace(move(before), state=replace(move(before).state, hung=(HANGS,)))
    turned = await one_turn(replace(wiring, decide=lambda *_: decision), Memory(state=before))
    assert len(dry.noted) == 3
    assert turned.memory.state.hung == ()


async def test_of_a_wave_whose_servers_all_hang_only_so_many_are_waited_for(wiring: Wiring) -> None:
    hanging = Hanging(*(load.placement for load in LOADS))
    turned = await carried(wiring, Hands((hanging,)), Wave("grow", tuple(map(SetLoad, LOADS))))
    assert len(hanging.asked) == 4
    assert len(turned.memory.state.hung) == 4, "nothing is held against those that were not asked"
    assert sum("not begun, as 4 servers" in each.error for each in turned.carried.outcomes) == 6


async def test_others_of_a_wave_are_done_beside_what_hangs(wiring: Wiring) -> None:
    hanging = Hanging(*(load.placement for load in LOADS[:3]))
    await carried(wiring, Hands((hanging,)), Wave("grow", tuple(map(SetLoad, LOADS))))
    assert [action for _, action in hanging.noted] == [SetLoad(load) for load in LOADS[3:]]


async def test_an_unload_of_what_may_not_stand_stops_nothing_where_it_hangs(wiring: Wiring) -> None:
    hanging = Hanging(OLD_DETECT)
    first = Wave(WITHDRAW, (Unload(OLD_DETECT),))
    turned = await carried(wiring, Hands((hanging,)), first, *MOVE.waves[:2])
    assert [action for _, action in hanging.noted] == [action for wave in MOVE.waves[:2] for action in wave.actions]
    assert ids(turned) == ["GW3004"], "it is told all the same"
    assert turned.decision is not None
    assert turned.memory.state.plan == turned.decision.plan
    assert turned.is_reached, "sites are told of evidence that was renewed, however long it hangs"


async def test_an_unload_at_a_server_that_is_known_to_hang_is_given_less_time(wiring: Wiring) -> None:
    hands = Hands((Hanging(OLD_DETECT, gives_up=False),), hanging=timedelta(milliseconds=20))
    first = Wave(WITHDRAW, (Unload(OLD_DETECT),))
    async with asyncio.timeout(10):
        turned = await carried(wiring, hands, first, MOVE.waves[0], state=State(hung=(HANGS,)))
    assert [each.times for each in turned.memory.state.hung] == [2]


async def test_servers_of_what_hangs_are_read_in_each_turn(wiring: Wiring) -> None:
    read: list[frozenset[tuple[str, str]]] = []
    decision = keep(State(hung=(HANGS,)))
    hung = replace(wiring, decide=lambda *_: decision, again=read.append)
    await one_turn(hung, Memory(state=State(hung=(HANGS,))))
    assert read == [frozenset({(OLD_DETECT.pool, "")})]
