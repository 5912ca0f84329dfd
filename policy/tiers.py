"""Organisation and team: what the services below have by default, and what none of them may go beyond.

A nearer tier's preference wins. Limits of all tiers hold together, as do their clauses, so that nothing that a lower
tier writes allows more than the tier above.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from policy.clauses import ComplianceProfile
from policy.findings import Place

if TYPE_CHECKING:
    from policy.resolved import AccuracyObjective, AvailabilityObjective, DegradeStep, LatencyObjective


@dataclass(frozen=True, slots=True)
class Priority:
    """A priority, or the highest one that is allowed."""

    value: int
    place: Place


@dataclass(frozen=True, slots=True)
class Preferences:
    """What one tier says of a service; nothing of what it leaves to the next one. An order without steps is said."""

    latency: "tuple[LatencyObjective, ...]" = ()
    availability: "AvailabilityObjective | None" = None
    accuracy: "AccuracyObjective | None" = None
    degrade: "tuple[DegradeStep, ...] | None" = None
    priority: Priority | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """The highest priority, and the least accuracy and availability, that a service below may have."""

    accuracy: "AccuracyObjective | None" = None
    availability: "AvailabilityObjective | None" = None
    priority: Priority | None = None


@dataclass(frozen=True, slots=True)
class Organisation:
    """What holds for every service."""

    name: str
    defaults: Preferences
    limits: Limits
    compliance: ComplianceProfile | None
    place: Place


@dataclass(frozen=True, slots=True)
class Team:
    """What holds for the services of one team."""

    name: str
    defaults: Preferences
    limits: Limits
    compliance: ComplianceProfile | None
    place: Place


Tier = Organisation | Team


def chosen(preferences: Iterable[Preferences]) -> Preferences:
    """Of each preference the nearest one; they come nearest first."""
    found = Preferences()
    for each in preferences:
        found = Preferences(
            found.latency or each.latency,
            found.availability or each.availability,
            found.accuracy or each.accuracy,
            each.degrade if found.degrade is None else found.degrade,
            found.priority or each.priority,
        )
    return found


def together(limits: Iterable[Limits]) -> Limits:
    """Limits that hold at once, as one."""
    found = Limits()
    for each in limits:
        found = Limits(
            at_least(found.accuracy, each.accuracy),
            in_as_many_places(found.availability, each.availability),
            at_most(found.priority, each.priority),
        )
    return found


def at_most(one: Priority | None, other: Priority | None) -> Priority | None:
    """The lower of two priorities."""
    return min((each for each in (one, other) if each), key=lambda each: each.value, default=None)


def at_least(one: "AccuracyObjective | None", other: "AccuracyObjective | None") -> "AccuracyObjective | None":
    """The objective with the higher floor."""
    return max((each for each in (one, other) if each), key=lambda each: each.floor_ppm, default=None)


def in_as_many_places(
    one: "AvailabilityObjective | None", other: "AvailabilityObjective | None"
) -> "AvailabilityObjective | None":
    """As many of all as each of the two asks for; the place is the first one's when that is enough."""
    if one is None or other is None:
        return one or other
    both = replace(
        other,
        sites=max(one.sites, other.sites),
        racks=max(one.racks, other.racks),
        nodes=max(one.nodes, other.nodes),
        spares=max(one.spares, other.spares),
        survives_any_site=one.survives_any_site or other.survives_any_site,
    )
    return one if replace(both, place=one.place) == one else both
