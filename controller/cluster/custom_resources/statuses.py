"""What is written of a resource after a turn: its status and events, and only where something changed. Pure."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from controller.cluster.custom_resources.condition import Condition, Conditions, Holds
from controller.cluster.custom_resources.conditions import Resource
from controller.cluster.custom_resources.policies import Held, Told
from policy.documents import API_VERSION

EVENTS_NAMESPACE: Final = "default"
"""Where events of what is in no namespace are kept."""
CONTROLLER: Final = "gridwright.dev/controller"
MOST_NOTE: Final = 1_024
_NAME: Final = 200

Manifest = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be told of a resource: all of its conditions, and those of them that are news."""

    resource: Resource
    held: Held
    told: tuple[Told, ...]
    news: Conditions

    @property
    def is_urgent(self) -> bool:
        """Whether more changed than words and numbers in messages."""
        return bool(self.news) or self.held.observed_generation != self.held.generation


def changes(read: Mapping[Resource, Held], wanted: Mapping[Resource, Conditions], now: datetime) -> Iterator[Change]:
    """The resources whose status is not what is wanted; it is of the generation that was read."""
    for resource, conditions in wanted.items():
        held = read[resource]
        before = {each.condition.type: each for each in held.told}
        told = tuple(Told(each, _since(each, before, now)) for each in conditions)
        is_told = all(before.get(each.condition.type) == each for each in told)
        if not is_told or held.observed_generation != held.generation:
            yield Change(resource, held, told, tuple(each for each in conditions if _is_news(each, before)))


def _since(condition: Condition, before: Mapping[str, Told], now: datetime) -> str:
    known = before.get(condition.type)
    return known.since if known and known.condition.holds is condition.holds else now.strftime("%Y-%m-%dT%H:%M:%SZ")


def _is_news(condition: Condition, before: Mapping[str, Told]) -> bool:
    """Whether it holds otherwise, or for another reason, than was told; what is not known yet is none."""
    known = before.get(condition.type)
    if known is None:
        return condition.holds is not Holds.UNKNOWN
    return (known.condition.holds, known.condition.reason) != (condition.holds, condition.reason)


def status_manifest(change: Change) -> Manifest:
    """The fields of the status, to be applied; refused once the resource was deleted and made again."""
    generation = change.held.generation
    conditions = [
        {
            "type": each.condition.type,
            "status": each.condition.holds.value,
            "reason": each.condition.reason,
            "message": each.condition.message,
            "lastTransitionTime": each.since,
            "observedGeneration": generation,
        }
        for each in change.told
    ]
    return {
        "apiVersion": API_VERSION,
        "kind": change.resource.kind,
        "metadata": {"name": change.resource.name, "uid": change.held.uid},
        "status": {"observedGeneration": generation, "conditions": conditions},
    }


def event_manifests(change: Change, reporter: str, now: datetime) -> Iterator[Manifest]:
    """An event for each condition that is news. Its name is of the news and of what was told before.

    So whoever finds the same told before, and has the same news, names it alike, and it is there once.
    """
    before = " ".join(map(str, change.held.told))
    regarding = {
        "apiVersion": API_VERSION,
        "kind": change.resource.kind,
        "name": change.resource.name,
        "uid": change.held.uid,
    }
    for each in change.news:
        about = f"{change.held.uid} {change.held.generation} {before} {each.type} {each.holds} {each.reason}"
        name = f"{change.resource.name[:_NAME]}.{hashlib.sha256(about.encode()).hexdigest()[:16]}"
        yield {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {"name": name, "namespace": EVENTS_NAMESPACE},
            "eventTime": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "reportingController": CONTROLLER,
            "reportingInstance": reporter,
            "action": each.type,
            "reason": each.reason,
            "regarding": regarding,
            "note": f"{each.type} is {each.holds}: {each.message}"[:MOST_NOTE],
            "type": "Warning" if each.holds is Holds.FALSE else "Normal",
        }
