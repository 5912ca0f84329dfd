"""What a turn of the loop says of each resource of the policy, as conditions. Pure: a turn in, conditions out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple

from controller.cluster.custom_resources.condition import Condition, Conditions, Holds, condition
from controller.cluster.custom_resources.service_conditions import of_service
from controller.loop.status import Status
from policy.findings import Finding, Level, Place
from policy.schema.status import ACCEPTED
from policy.words import counted


class Resource(NamedTuple):
    """A resource of the policy."""

    kind: str
    name: str

    @property
    def file(self) -> str:
        """What its document is called where findings name their place."""
        return f"{self.kind}/{self.name}.yaml"


@dataclass(frozen=True, slots=True)
class Standing:
    """How resources stand beside another source of the same policy.

    `prefix` is before the names of their files where findings name their place. `overruled` has those that do not
    count, each with the place of the document that does. With `is_taken` the policy in force is of the resources as
    they are, whatever is against the other source.
    """

    prefix: str = ""
    overruled: Mapping[Resource, str] = field(default_factory=dict)
    is_taken: bool = False


ALONE: Final = Standing()
"""There is no other source."""


def conditions(
    resources: Sequence[Resource],
    status: Status,
    field_at: Callable[[Place], str],
    now: datetime,
    standing: Standing = ALONE,
) -> dict[Resource, Conditions]:
    """The conditions of each resource after a turn; `field_at` tells which field of a resource a place is."""
    accepted = _accepted(resources, status, field_at, standing)
    services = {each.name: each for each in status.in_force.policy.services} if status.in_force.policy else {}
    return {
        each: (accepted[each], *(of_service(services.get(each.name), status, now) if each.kind == "Service" else ()))
        for each in resources
    }


def _accepted(
    resources: Sequence[Resource], status: Status, field_at: Callable[[Place], str], standing: Standing
) -> dict[Resource, Condition]:
    """A resource is accepted when the policy that it is part of is: one broken document keeps all others out."""
    errors: dict[str, Finding] = {}
    for finding in status.in_force.findings:
        if finding.level is Level.ERROR and finding.place is not None:
            errors.setdefault(finding.place.file, finding)
    refused = status.in_force.refused_since is not None and not standing.is_taken
    found = {}
    for each in resources:
        own = errors.get(f"{standing.prefix}{each.file}")
        if each in standing.overruled:
            message = f"{standing.overruled[each]} has the same document, and wins"
            found[each] = condition(ACCEPTED, Holds.FALSE, "Overruled", message)
        elif own is not None:
            found[each] = condition(ACCEPTED, Holds.FALSE, "Invalid", _told(own, field_at))
        elif refused:
            others = counted(len(errors), "other resource") if errors else "the policy"
            follows = "no policy is in force" if status.in_force.policy is None else "an earlier policy stays in force"
            message = f"{others} cannot be accepted, so {follows}"
            found[each] = condition(ACCEPTED, Holds.FALSE, "PolicyRefused", message)
        elif status.in_force.policy is None:
            found[each] = condition(ACCEPTED, Holds.UNKNOWN, "NotRead", "the policy was not read yet")
        else:
            found[each] = condition(ACCEPTED, Holds.TRUE, "InForce", "it is part of the policy in force")
    return found


def _told(finding: Finding, field_at: Callable[[Place], str]) -> str:
    where = field_at(finding.place) if finding.place else ""
    return f"{f'{where}: ' if where else ''}{finding.message} ({finding.hint}; {finding.id})"
