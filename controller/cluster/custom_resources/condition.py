"""A condition, as Kubernetes has them."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

MOST_TOLD: Final = 1_000
"""Characters of a message: a condition is read in a terminal."""


class Holds(StrEnum):
    """Whether a condition holds, in the words of Kubernetes."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True)
class Condition:
    """One of the conditions of a resource; `reason` is one word for programs, `message` a sentence for people."""

    type: str
    holds: Holds
    reason: str
    message: str


Conditions = tuple[Condition, ...]


def condition(kind: str, holds: Holds, reason: str, message: str) -> Condition:
    """A condition whose message is one line, and not too long."""
    told = " ".join(message.split())
    return Condition(kind, holds, reason, told if len(told) <= MOST_TOLD else f"{told[: MOST_TOLD - 1]}…")
