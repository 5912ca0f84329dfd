"""Whatever becomes of a service that does not preempt, it has no more where another one has less.

Only its rate rises and falls; it scales to zero and wakes, either may be degraded, and some decisions are not carried
out.
"""

from dataclasses import replace
from typing import NamedTuple

import pytest
from dice import Dice
from test_never_preempting import STEADY, URGENT, asked, device, line, model, policy, service
from world import World

from controller.decision import Decision
from policy.resolved import DegradeStep, ScaleToZero, Shed, Stage, UseVariant

SEEDS = range(16)
CHANGES = 5
RATES = 0, 1_000, 4_000, 8_000, 16_000, 20_000, 30_000, 40_000
LIGHTER = UseVariant("net", "half", line(5))
ORDERS: tuple[tuple[DegradeStep, ...], ...] = ((), (LIGHTER,), (LIGHTER, Shed(300, line(6))))
TIMES = {("net", "whole"): (60_000, 500), ("net", "half"): (30_000, 500), ("own", "whole"): (60_000, 500)}


class Has(NamedTuple):
    """What a service has: of its rate what is served (in millionths of a request a second), and its degrade level."""

    served_micro_rps: int
    level: int

    @classmethod
    def of(cls, service: str, decision: Decision) -> "Has":
        """By a decision; a service that is asleep has nothing."""
        mine = (each for each in decision.forecasts if each.service == service)
        return cls(sum(each.served_permille * each.rate_milli_rps for each in mine), decision.plan.level(service))

    def is_more(self, before: "Has") -> bool:
        """Whether it serves more than before, or what it serves at a lower level."""
        is_better = self.served_micro_rps > 0 and self.level < before.level
        return self.served_micro_rps > before.served_micro_rps or is_better


def drawn(dice: Dice) -> World:
    """One service that does not preempt and may sleep, and one whose rate stays the same."""
    urgent = service(URGENT, dice.one((5, 10, 100)), *dice.one(ORDERS), never=True)
    if dice.says(0.3):
        urgent = replace(urgent, stages=(Stage("run", "own", (), 1, 1_000, line(1)),), degrade=())
    if dice.says(0.7):
        urgent = replace(urgent, scale_to_zero=ScaleToZero(60, 60_000_000, line(60)))
    services = urgent, service(STEADY, 10, *dice.one(ORDERS))
    made = policy(*services, nodes=dice.within(1, 2))
    models = (*made.models, model("own", ("whole", 100, 950_000)))
    rates = asked({URGENT: dice.one(RATES), STEADY: dice.one((8_000, 20_000, 40_000, 52_000))})
    made = replace(made, models=models, devices=(device("card", 1, TIMES),))
    return World(made, servers={"hall": ()}, rates=rates, certified={})


@pytest.mark.long
@pytest.mark.parametrize("seed", SEEDS)
def test_it_has_no_more_where_another_one_has_less(seed: int) -> None:
    dice = Dice(seed + 88_000_000_000)
    here = drawn(dice)
    here.turn()
    last = here.rest()
    for _ in range(CHANGES):
        here.rates = {**here.rates, **asked({URGENT: dice.one(RATES)})}
        for _ in range(dice.within(2, 4)):
            if dice.says(0.25):
                here.refused_turn()
                continue
            decision = here.turn()
            if Has.of(STEADY, last).is_more(Has.of(STEADY, decision)):
                assert not Has.of(URGENT, decision).is_more(Has.of(URGENT, last))
            last = decision
