"""Who leads: step by step, and for two replicas whose clocks run apart."""

import random

import pytest

from controller.cluster.leading.lease import Record, Seen, Step, Timing, following, look, next_look_s, step

TIMING = Timing(duration_s=10, lead_s=7.0, look_s=1.0)
HELD = Record("a", 3, 10, "v1")


def test_a_lease_that_nobody_made_is_made_in_its_first_term() -> None:
    assert step("a", look(None, None, 0.0), 0.0) is Step.CREATE
    assert following(None, "a", TIMING) == Record("a", 1, 10, "")


def test_a_holder_renews_in_the_same_term() -> None:
    assert step("a", look(None, HELD, 0.0), 500.0) is Step.RENEW
    assert following(HELD, "a", TIMING) == HELD
    assert HELD.term == "3.a"


@pytest.mark.parametrize(("waited_s", "expected"), [(9.9, Step.WAIT), (10.0, Step.TAKE)])
def test_a_lease_is_taken_once_it_was_seen_unchanged_for_its_own_duration(waited_s: float, expected: Step) -> None:
    first = look(None, HELD, 100.0)
    seen = look(first, HELD, 100.0 + waited_s)
    assert step("b", seen, 100.0 + waited_s) is expected


def test_a_renewal_starts_the_wait_anew() -> None:
    first = look(None, HELD, 100.0)
    renewed = look(first, Record("a", 3, 10, "v2"), 109.0)
    assert renewed.since_s == 109.0
    assert step("b", renewed, 115.0) is Step.WAIT


def test_a_lease_that_was_given_up_is_taken_at_once_in_a_term_of_its_own() -> None:
    free = Record("", 3, 1, "v9")
    assert step("b", look(None, free, 0.0), 0.0) is Step.TAKE
    assert following(free, "b", TIMING) == Record("b", 4, 10, "v9")


def test_a_standby_looks_again_when_it_may_take_the_lease_and_a_holder_as_often_as_ever() -> None:
    seen = look(None, HELD, 100.0)
    assert next_look_s("b", None, 100.0, TIMING) == 1.0
    assert next_look_s("b", seen, 104.0, TIMING) == 1.0
    assert next_look_s("b", seen, 109.25, TIMING) == 0.75
    assert next_look_s("b", seen, 120.0, TIMING) == 0.0
    assert next_look_s("a", seen, 109.25, TIMING) == 1.0


@pytest.mark.parametrize("tenths", range(10))
def test_a_standby_takes_over_within_the_leases_duration_and_one_look_of_the_last_renewal(tenths: int) -> None:
    standby, now_s = Replica("b", 0.0, 1.0), tenths / 10 - TIMING.look_s
    last_renewed_s = 0.0
    while not standby.leads(now_s):
        standby.turn(HELD if now_s >= last_renewed_s else Record("a", 3, 10, "v0"), now_s)
        now_s += next_look_s("b", standby.seen, now_s, TIMING) if not standby.leads(now_s) else 0.0
    assert TIMING.duration_s <= now_s - last_renewed_s < TIMING.duration_s + TIMING.look_s


class Replica:
    """One with a clock of its own, which looks at a lease that the test keeps, and may be held up."""

    def __init__(self, name: str, offset_s: float, rate: float) -> None:
        self.name, self.offset_s, self.rate = name, offset_s, rate
        self.seen: Seen | None = None
        self.until_s = float("-inf")

    def clock(self, true_s: float) -> float:
        return self.offset_s + self.rate * true_s

    def leads(self, true_s: float) -> bool:
        return self.clock(true_s) < self.until_s

    def turn(self, lease: Record | None, true_s: float) -> Record | None:
        """The lease after this replica has looked, and has written if nobody is faster."""
        now_s = self.clock(true_s)
        self.seen = look(self.seen, lease, now_s)
        if step(self.name, self.seen, now_s) is Step.WAIT:
            return lease
        written = following(lease, self.name, TIMING)
        kept = Record(written.holder, written.transitions, written.duration_s, f"v{true_s}")
        self.seen, self.until_s = Seen(kept, now_s), now_s + TIMING.lead_s
        return kept


@pytest.mark.parametrize("seed", range(50))
def test_two_never_lead_at_once_whatever_their_clocks_say_and_somebody_soon_does(seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 -- a test
    replicas = [Replica(name, dice.uniform(-1e6, 1e6), dice.uniform(0.85, 1.15)) for name in ("a", "b")]
    due = {replica.name: 0.0 for replica in replicas}
    lease: Record | None = None
    idle_s = 0.0
    for tick in range(3_000):
        true_s = tick / 10
        for replica in replicas:
            if true_s >= due[replica.name]:
                lease = replica.turn(lease, true_s)
                held_up_s = dice.choice([0.0] * 20 + [30.0])
                rest_s = next_look_s(replica.name, replica.seen, replica.clock(true_s), TIMING)
                due[replica.name] = true_s + rest_s + held_up_s
        leading = [replica.name for replica in replicas if replica.leads(true_s)]
        assert len(leading) < 2
        idle_s = 0.0 if leading else idle_s + 0.1
        both_up = all(due[replica.name] <= true_s + TIMING.look_s for replica in replicas)
        assert idle_s <= 15.0 + 30.0 or not both_up
