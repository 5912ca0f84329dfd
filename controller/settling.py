"""Where a policy would bring a fleet in the end: turn after turn without servers, until nothing is left to do.

Guards let a fleet shrink in steps, so that one decision is seldom the last one.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from collectors.evidence.records import Evidence
from collectors.snapshot import Snapshot
from controller.decision import Decision, State
from controller.documents import observe
from controller.fleet import EMPTY, Fleet
from controller.planning.decide import decide
from controller.whatif import WhatIf, imagine, rates
from policy.resolved import Policy

MOST_TURNS: Final = 20
"""A fleet that may shrink by half at a time comes from a thousand instances to one in ten."""


@dataclass(frozen=True, slots=True)
class Settled:
    """The decisions of the turns, and whether nothing is left to do after the last one.

    `seen` is the snapshot that the last one was made from.
    """

    turns: tuple[Decision, ...]
    seen: Snapshot
    at_rest: bool

    @property
    def decision(self) -> Decision:
        """The last one."""
        return self.turns[-1]


def settled(
    policy: Policy,
    evidence: tuple[Evidence, ...],
    now: datetime,
    standing: Fleet = EMPTY,
    *,
    state: State | None = None,
    whatif: WhatIf | None = None,
) -> Settled:
    """The decisions with which a fleet that has `standing` comes to rest.

    Turns are as far apart as guards ask, and evidence ends between them as it would. The first one remembers `state`,
    nothing by default; each sees what is imagined by `whatif`, by default that services are asked for what they expect.
    """
    imagined = whatif or WhatIf(rates=rates(policy))
    turns: list[Decision] = []
    for turn in range(MOST_TURNS):
        at = now + turn * pause(policy)
        seen = imagine(imagined, policy, observe(policy, evidence, at, standing=standing))
        decision = decide(policy, seen, state or State(), at)
        turns.append(decision)
        if not decision.acts:
            return Settled(tuple(turns), seen, at_rest=True)
        standing, state = decision.fleet, decision.state
    return Settled(tuple(turns), seen, at_rest=False)


def pause(policy: Policy) -> timedelta:
    """How far turns are apart, so that no guard against haste holds one up."""
    return timedelta(seconds=max(policy.scaling.interval_s, policy.scaling.cooldown_s) + 1)
