"""What comes before actions in a cluster, which takes time where its API server hangs: what waits for it, what not."""

import asyncio
from dataclasses import replace

from controller.actions import Action, SetLoad, SetRoutes, Transition, Unload, Wave
from controller.decision import State
from controller.fleet import Fleet, Load, Parts, RouteSet, Way
from controller.loop.leaving import only_leaves_first
from controller.loop.turn import Memory, Turned, Wiring
from policy.findings import Finding, Level
from tests.loop.building import DETECT, MOVE, OLD_DETECT, ROUTES, move
from tests.loop.test_given_up import AGAINST, beginning_with, hanging_wiring, waited
from tests.loop.test_hanging import Hanging
from tests.loop.test_loop import ids, one_turn

TOLD = Finding("GW2120", Level.WARNING, "not all was written", "nothing")


class Preparing:
    """Gets parts ready once it is let go on."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.is_broken_off = False

    async def prepare(self, *_: object) -> tuple[Finding, ...]:
        try:
            await self.go_on.wait()
        except asyncio.CancelledError:
            self.is_broken_off = True
            raise
        return (TOLD,)

    async def keep(self, *_: object, is_reached: bool) -> tuple[Finding, ...]:  # noqa: ARG002
        return ()


async def test_what_only_leaves_does_not_wait_and_what_comes_after_it_does(wiring: Wiring) -> None:
    preparing, done = Preparing(), Hanging()
    first = SetRoutes(()), Unload(OLD_DETECT)
    here = hanging_wiring(wiring, done, beginning_with(*first), upkeep=preparing)
    turning = asyncio.create_task(one_turn(here))
    await waited(lambda: len(done.noted) == len(first))
    await asyncio.sleep(0.1)
    assert [action for _, action in done.noted] == list(first)
    preparing.go_on.set()
    turned = await turning
    assert turned.is_reached
    assert ids(turned) == ["GW2120"]


async def test_what_is_loaded_first_waits(wiring: Wiring) -> None:
    preparing, done = Preparing(), Hanging()
    turning = asyncio.create_task(one_turn(hanging_wiring(wiring, done, move(State()), upkeep=preparing)))
    await asyncio.sleep(0.2)
    assert done.asked == []
    preparing.go_on.set()
    assert (await turning).is_reached


async def test_it_is_broken_off_where_the_next_turn_must_not_wait(wiring: Wiring) -> None:
    preparing, hanging, found = Preparing(), Hanging(OLD_DETECT, gives_up=False), list[Finding]()
    waves = Transition((Wave("free", (Unload(OLD_DETECT),)),))
    decision = replace(move(State()), transition=waves)
    here = hanging_wiring(wiring, hanging, decision, upkeep=preparing, recheck=lambda *_: tuple(found))
    turning = asyncio.create_task(one_turn(here))
    await waited(lambda: bool(hanging.asked))
    found.append(AGAINST)
    async with asyncio.timeout(5):
        turned: Turned = await turning
    assert turned.carried.given_up
    assert preparing.is_broken_off


async def test_nothing_is_left_under_way_of_a_turn_that_is_broken_off(wiring: Wiring) -> None:
    preparing, done = Preparing(), Hanging()
    here = hanging_wiring(wiring, done, beginning_with(SetRoutes(())), upkeep=preparing)
    turning = asyncio.create_task(one_turn(here, Memory()))
    await waited(lambda: bool(done.noted))
    turning.cancel()
    await asyncio.gather(turning, return_exceptions=True)
    assert preparing.is_broken_off


def test_requests_that_go_where_none_went_do_not_only_leave() -> None:
    (route, *_) = ROUTES
    way = next(iter(route.ways))
    less = replace(way, weight_permille=way.weight_permille - 1)
    other = replace(way, encodings=("png",))
    spread = replace(route, parts=(Parts(DETECT, (("node-0", 1), ("node-1", 1))),))
    running = Fleet((), (replace(route, parts=(Parts(DETECT, (("node-0", 1),)),)),))

    def leaves(*actions: Action) -> bool:
        return only_leaves_first(Transition((Wave("withdraw", actions), *MOVE.waves)), running)

    def to(*ways: Way) -> SetRoutes:
        return SetRoutes((replace(route, ways=ways, parts=()),))

    assert leaves(to(less), Unload(OLD_DETECT))
    assert leaves(to())
    assert not leaves(to(way, other))
    assert not leaves(SetRoutes((RouteSet("another", route.origin, route.ways),)))
    assert not leaves(SetRoutes((spread,))), "a server more"
    assert not leaves(to(less), SetLoad(Load(DETECT, 1, 1, 0)))
    assert not only_leaves_first(Transition(), running)
