"""What a change of policy does: two fleets at rest, the second one reached from the first."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from controller.decision import Decision, Forecast, Verdict
from controller.documents import Documents
from controller.fleet import Fleet
from controller.planning.diff import Change, diff
from controller.settling import settled
from policy.findings import Finding, without
from policy.resolved import Policy


@dataclass(frozen=True, slots=True)
class Side:
    """What is planned under one of the two policies; `at_rest` is false where it would still move after many turns."""

    policy_revision: str
    verdict: Verdict
    at_rest: bool
    cost_millicents_per_hour: int
    links_millicents_per_hour: int
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Promise:
    """What is predicted of a demand before and after; None where there is no such demand."""

    service: str
    origin: str
    before: Forecast | None
    after: Forecast | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """The difference between two policies. `came` and `went` are the findings that only one of them has."""

    before: Side
    after: Side
    changes: tuple[Change, ...]
    promises: tuple[Promise, ...]
    came: tuple[Finding, ...]
    went: tuple[Finding, ...]

    @property
    def is_nothing(self) -> bool:
        """Whether neither fleet, cost nor findings differ."""
        costs = [(side.cost_millicents_per_hour, side.links_millicents_per_hour) for side in (self.before, self.after)]
        return costs[0] == costs[1] and not self.changes and not self.came and not self.went


def compared(before: Documents, after: Documents, now: datetime) -> Comparison:
    """Let the fleet of the first policy come to rest, and from there that of the second; `now` is UTC."""
    first = settled(before.policy, before.evidence, now)
    standing = first.decision.fleet
    second = settled(after.policy, after.evidence, now, known_to(after.policy, standing))
    one, other = (*before.findings, *first.decision.findings), (*after.findings, *second.decision.findings)
    return Comparison(
        _side(first.decision, one, at_rest=first.at_rest),
        _side(second.decision, other, at_rest=second.at_rest),
        diff(standing, second.decision.fleet),
        _promises(first.decision.forecasts, second.decision.forecasts),
        without(other, one),
        without(one, other),
    )


def known_to(policy: Policy, fleet: Fleet) -> Fleet:
    """What of a fleet another policy knows: the rest is gone with its pool or variant."""
    pools = {pool.name for pool in policy.pools}
    variants = {(model.name, variant.name) for model in policy.models for variant in model.variants}
    loads = (
        load
        for load in fleet.loads
        if load.placement.pool in pools and (load.placement.model, load.placement.variant) in variants
    )
    return Fleet(tuple(loads))


def _side(decision: Decision, findings: tuple[Finding, ...], *, at_rest: bool) -> Side:
    return Side(
        decision.policy_revision,
        decision.verdict,
        at_rest,
        decision.cost_millicents_per_hour,
        decision.links_millicents_per_hour,
        findings,
    )


def _promises(before: Iterable[Forecast], after: Iterable[Forecast]) -> tuple[Promise, ...]:
    old, new = ({(each.service, each.origin): each for each in side} for side in (before, after))
    return tuple(Promise(*key, old.get(key), new.get(key)) for key in sorted({*old, *new}))
