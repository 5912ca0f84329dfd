"""What a Gateway tells of a route, in the route's status: whether it has seen it as it is now, and takes it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

TAKEN: Final = ("Accepted", "ResolvedRefs")
"""The conditions that are true of a route that is followed."""
SPOILT: Final = "PartiallyInvalid"
"""The condition that is true of a route of which only some rules are."""


@dataclass(frozen=True, slots=True)
class Told:
    """`awaited` is what was not told yet of the route as it is now, `against` is why it is not taken; both in words."""

    awaited: tuple[str, ...] = ()
    against: tuple[str, ...] = ()

    @property
    def is_followed(self) -> bool:
        """Whether requests go by it."""
        return not self.awaited and not self.against

    def __str__(self) -> str:
        return "; ".join((*self.against, *self.awaited))


def told(live: Mapping[str, Any]) -> Told:
    """What all that a route has as parents tell of it."""
    found = [_of_parent(live, parent) for parent in live["spec"].get("parentRefs", ())]
    return Told(
        tuple(each for one in found for each in one.awaited), tuple(each for one in found for each in one.against)
    )


def _of_parent(live: Mapping[str, Any], parent: Mapping[str, Any]) -> Told:
    of = _identity(live, parent)
    within = f"Gateway {of[0]}/{of[1]}"
    parents = live.get("status", {}).get("parents", ())
    conditions = [
        each for entry in parents if _identity(live, entry["parentRef"]) == of for each in entry["conditions"]
    ]
    generation = live["metadata"].get("generation", 0)
    known = {each["type"]: each for each in conditions if each.get("observedGeneration", generation) >= generation}
    awaited = [f"{within} does not tell {each} of it" for each in TAKEN if each not in known]
    return Told(tuple(awaited), tuple(_against(within, known)))


def _against(within: str, known: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    wanted = {**dict.fromkeys(TAKEN, "True"), SPOILT: "False"}
    for kind, status in wanted.items():
        condition = known.get(kind)
        if condition is not None and condition["status"] != status:
            message = condition.get("message", "")
            yield f"{within}: {kind} is {condition['status']} ({condition.get('reason', '')}): {message}"


def _identity(live: Mapping[str, Any], parent: Mapping[str, Any]) -> tuple[str, str, str]:
    return parent.get("namespace", live["metadata"]["namespace"]), parent["name"], parent.get("sectionName", "")
