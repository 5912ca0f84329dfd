"""A clock that ran a fortnight ahead and was put right: nothing stands still, and evidence holds as the clock says."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from controller.decision import Decision, Hung, KnownRate, Peak, SetBack, Silence, Started, State
from controller.planning.set_back import TOLD_FOR, put_right
from policy.findings import Finding
from rules.kernel.problem import Placement
from tests.planning.world import CALM, FRANKFURT, LYON, OCR, PARIS, START, VAD, World, pools_of

FORTNIGHT = timedelta(days=14)
SEAT = Placement("vad", "fp32", PARIS)
LATER = START + FORTNIGHT


def ahead(world: World) -> World:
    """The world once its clock has run ahead, and its fleet is at rest by that."""
    world.now += FORTNIGHT
    world.rest()
    return world


def told(decision: Decision) -> list[Finding]:
    return [finding for finding in decision.findings if finding.id == "GW2148"]


def instances(decision: Decision) -> int:
    return sum(load.instances for load in decision.fleet.loads)


def test_a_fleet_shrinks_again_once_the_clock_is_right() -> None:
    world = World()
    scaling = replace(world.policy.scaling, stabilisation_s=60, cooldown_s=30)
    world.policy = replace(world.policy, scaling=scaling)
    calm = instances(world.rest())
    world.rates = {key: rate * 20 for key, rate in CALM.items()}
    busy = instances(ahead(world).turn())
    assert busy > calm
    world.now -= FORTNIGHT
    world.rates = dict(CALM)
    assert instances(world.turn()) == busy, "what was asked lately counts for the window from now on"
    assert instances(world.turn(90)) < busy


def test_evidence_holds_as_the_clock_says_now() -> None:
    world = World()
    world.rest()
    assert FRANKFURT in pools_of(world.turn(), OCR)
    world.certification_ends(FRANKFURT, seconds=7 * 86_400)
    assert FRANKFURT not in pools_of(ahead(world).turn(), OCR), "by a clock that runs ahead it has ended"
    world.now -= FORTNIGHT
    for _ in range(4):
        decision = world.turn()
    assert FRANKFURT in pools_of(decision, OCR), "it holds for a week yet"
    world.now = START + timedelta(days=8)
    assert FRANKFURT not in pools_of(world.turn(), OCR)


def test_it_is_told_for_an_hour() -> None:
    world = World()
    world.rest()
    assert not told(ahead(world).turn())
    world.now -= FORTNIGHT
    (finding,) = told(world.turn())
    assert "about 13 days" in finding.message or "about 14 days" in finding.message
    assert told(world.turn(3_000)) == [finding]
    assert not told(world.turn(900))


def state_of(at: datetime) -> State:
    return State(
        started=(Started(SEAT, at),),
        rates=(KnownRate(VAD, LYON, 1_000, at),),
        peaks=(Peak(VAD, LYON, 1_000, at),),
        silences=(Silence(VAD, LYON, at, at),),
        rest_since=at,
        hung=(Hung(SEAT, "", at, at, 1, "nothing"),),
    )


def test_no_instant_that_is_remembered_is_still_to_come() -> None:
    assert put_right(state_of(LATER), START) == replace(state_of(START), set_back=SetBack(START, 14 * 86_400))
    assert put_right(state_of(START), LATER) == state_of(START)
    one = replace(state_of(START), rest_since=LATER)
    assert put_right(one, START) == replace(state_of(START), set_back=SetBack(START, 14 * 86_400))


def test_a_clock_that_is_adjusted_by_seconds_is_not_told() -> None:
    now = START - timedelta(seconds=59)
    assert put_right(state_of(START), now) == state_of(now)
    now = START - timedelta(seconds=60)
    assert put_right(state_of(START), now).set_back == SetBack(now, 60)


def test_what_was_told_is_told_no_longer_than_an_hour_whatever_the_clock_does_next() -> None:
    before = State(set_back=SetBack(START, 60))
    assert put_right(before, START + TOLD_FOR - timedelta(seconds=1)).set_back == before.set_back
    assert put_right(before, START + TOLD_FOR).set_back is None
    assert put_right(before, START - timedelta(seconds=1)).set_back is None


def test_what_a_clock_that_was_not_set_yet_has_noted_counts_from_when_it_was() -> None:
    unset = datetime(1970, 1, 1, 0, 5, tzinfo=UTC)
    assert put_right(state_of(unset), START) == state_of(START)
    assert put_right(put_right(state_of(START), unset), START + timedelta(minutes=1)) == replace(
        state_of(START + timedelta(minutes=1)), set_back=None
    ), "a peak of a minute ago holds the fleet up for its window"
    assert put_right(state_of(unset), unset) == state_of(unset)
