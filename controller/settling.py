"""Where a policy would bring a fleet in the end: turn after turn without servers, until nothing is left to do.

Guards let a fleet shrink in steps, so that one decision is seldom the last one.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from collectors.evidence.records import Evidence
from controller.decision import Decision, State, Verdict
from controller.documents import observe
from controller.fleet import EMPTY, Fleet
from controller.planning.decide import decide
from policy.resolved import Policy

MOST_TURNS: Final = 20
"""A fleet that may shrink by half at a time comes from a thousand instances to one in ten."""


@dataclass(frozen=True, slots=True)
class Settled:
    """The last decision, and whether nothing is left to do after it."""

    decision: Decision
    at_rest: bool


def settled(policy: Policy, evidence: tuple[Evidence, ...], now: datetime, standing: Fleet = EMPTY) -> Settled:
    """The decision with which a fleet that has `standing` comes to rest, at the rates that services expect.

    Turns are as far apart as guards ask, and evidence ends between them as it would.
    """
    state = State()
    pause = timedelta(seconds=max(policy.scaling.interval_s, policy.scaling.cooldown_s) + 1)
    decision = decide(policy, observe(policy, evidence, now, standing=standing), state, now)
    for turn in range(1, MOST_TURNS):
        if decision.verdict is not Verdict.CHANGE:
            return Settled(decision, at_rest=True)
        standing, state, at = decision.fleet, decision.state, now + turn * pause
        decision = decide(policy, observe(policy, evidence, at, standing=standing), state, at)
    return Settled(decision, at_rest=decision.verdict is not Verdict.CHANGE)
