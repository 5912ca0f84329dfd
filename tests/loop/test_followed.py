"""What gateways may follow: what could not be set, or was given to one that does not tell, counts beside what was."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from collectors.snapshot import LoadedModel, ModelState
from controller.actions import GIVEN_UP, Action, Outcome, SetRoutes, Transition, Unload, Wave
from controller.decision import Decision
from controller.fleet import Parts, RouteSet, Way
from controller.loop.followed import after, either, with_routes
from controller.loop.remembering import remembered
from rules.kernel.problem import Placement
from tests.planning.world import FRANKFURT, LYON, OCR, PARIS, POLICY, START, VAD, World

THERE, HERE = Placement("vad", "fp32", LYON), Placement("vad", "fp32", PARIS)


def whole(placement: Placement, service: str = VAD, origin: str = LYON) -> RouteSet:
    return RouteSet(service, origin, (Way(1000, (placement,)),))


def failed(action: Action, error: str = "the admin port does not answer") -> Outcome:
    return Outcome("d", "route", action, START, START, error)


def tried_in_vain(world: World, routes: RouteSet) -> None:
    """What the routes go over was loaded, and a gateway that was given them does not tell that it follows them."""
    loads = [load for way in routes.ways for load in _loads(way)]
    for load in loads:
        held = world.servers[load.pool] or ()
        if (load.model, load.variant) not in {(each.model, each.variant) for each in held}:
            there = LoadedModel(load.model, load.variant, ModelState.READY, 1, 4, 0)
            world.servers[load.pool] = (*held, there)
    setting = SetRoutes((routes,))
    decision = replace(world.refused_turn(0), transition=Transition((Wave("route", (setting,)),)))
    world.state = remembered(world.state, decision, [failed(setting)])
    world.state = with_routes(world.state, (), world.policy, {PARIS, LYON})


def _loads(way: Way) -> tuple[Placement, ...]:
    return way.placements


def before(decision: Decision, wanted: Action) -> list[Action]:
    """The actions of the waves before the one with this action, all where there is none."""
    found: list[Action] = []
    for wave in decision.transition.waves:
        if wanted in wave.actions:
            break
        found += wave.actions
    return found


def leaves(actions: list[Action], service: str, origin: str, pool: str) -> bool:
    """Whether requests are taken off a pool by these."""
    return any(
        (item.service, item.origin) == (service, origin)
        and not any(p.pool == pool for way in item.ways for p in way.placements)
        for action in actions
        if isinstance(action, SetRoutes)
        for item in action.routes
    )


def test_what_may_be_asked_is_not_unloaded_before_requests_are_known_to_be_elsewhere() -> None:
    world = World()
    world.rest()
    degraded = Placement("vad", "half", LYON)
    tried_in_vain(world, whole(degraded))
    decision = world.refused_turn(60)
    unloading = [action for wave in decision.transition.waves for action in wave.actions if action == Unload(degraded)]
    assert unloading, "no plan needs it"
    assert leaves(before(decision, unloading[0]), VAD, LYON, LYON)


def test_requests_are_taken_off_what_they_may_go_over_once_that_is_barred() -> None:
    world = World()
    world.rest()
    stages = tuple(Placement(model, "fp32", PARIS) for model in ("det", "cls", "rec"))
    (now,) = (item for item in world.state.fleet.routes if (item.service, item.origin) == (OCR, PARIS))
    assert {FRANKFURT} == {placement.pool for way in now.ways for placement in way.placements}
    tried_in_vain(world, RouteSet(OCR, PARIS, (Way(1000, stages),)))
    world.certified[PARIS] = world.now
    decision = world.refused_turn(5)
    assert leaves(list(decision.transition.waves[0].actions), OCR, PARIS, PARIS)


def test_what_was_given_up_may_be_followed_and_what_was_set_then_is() -> None:
    given_up = failed(SetRoutes((whole(THERE),)), GIVEN_UP)
    both = RouteSet(VAD, LYON, (Way(500, (THERE,)), Way(500, (HERE,))))
    assert after((whole(HERE),), [given_up]) == (both,)
    done = failed(SetRoutes((whole(HERE),)), "")
    assert after((whole(HERE),), [given_up, done]) == (whole(HERE),)
    assert after((), [given_up]) == (whole(THERE),)
    assert after((whole(HERE),), [failed(Unload(HERE))]) == (whole(HERE),)


def test_what_a_gateway_tells_counts_and_what_it_may_follow_beside_that() -> None:
    world = World()
    world.rest()
    state = with_routes(world.state, (whole(THERE),), POLICY, maybe=(whole(HERE),))
    assert state.fleet.routes == (either(whole(HERE), whole(THERE)),)
    state = with_routes(state, (whole(THERE),), POLICY)
    assert state.fleet.routes == (whole(THERE),)
    unread = with_routes(state, (), POLICY, {LYON}, maybe=(whole(HERE),))
    assert unread.fleet.routes == (either(whole(HERE), whole(THERE)),)


def test_requests_may_go_to_the_nodes_of_both() -> None:
    one, other = (replace(whole(HERE), parts=(Parts(HERE, nodes),)) for nodes in ((("a", 1),), (("a", 2), ("b", 1))))
    assert either(one, other).parts == (Parts(HERE, (("a", 2), ("b", 1))),)


POOLS = st.sampled_from([Placement("vad", variant, pool) for variant in ("fp32", "half") for pool in (PARIS, LYON)])


@st.composite
def route_sets(draw: st.DrawFn) -> RouteSet:
    placements = draw(st.lists(POOLS, unique=True, max_size=4))
    ends = sorted(draw(st.lists(st.integers(1, 1000), unique=True, min_size=len(placements), max_size=len(placements))))
    weights = [end - start for start, end in zip([0, *ends], ends, strict=False)]
    ways = sorted(Way(weight, (placement,)) for weight, placement in zip(weights, placements, strict=True))
    return RouteSet(VAD, LYON, tuple(ways))


@given(route_sets(), route_sets())
def test_no_way_of_either_is_lost_and_no_more_is_let_through(one: RouteSet, other: RouteSet) -> None:
    found = either(one, other)
    assert {way.placements for way in found.ways} == {way.placements for way in (*one.ways, *other.ways)}
    assert all(way.weight_permille > 0 for way in found.ways) or sum(w.weight_permille for w in found.ways) < 4
    most = max(sum(way.weight_permille for way in each.ways) for each in (one, other))
    assert sum(way.weight_permille for way in found.ways) == most
