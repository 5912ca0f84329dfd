"""PolicyTest: what must hold of the plan when something happens to the fleet."""

from typing import Final

from pydantic import Field

from policy.documents.base import Instant, Spec
from policy.documents.event import EventSpec
from policy.documents.expectation import ExpectationSpec

MAX_STEPS: Final = 20
MAX_EVENTS: Final = 20
MAX_EXPECTATIONS: Final = 50


class StepSpec(Spec):
    """What happens, all at once, and what is so once the fleet has come to rest again."""

    when: list[EventSpec] = Field(default_factory=list, max_length=MAX_EVENTS)
    expect: list[ExpectationSpec] = Field(default_factory=list, max_length=MAX_EXPECTATIONS)


class PolicyTestSpec(Spec):
    """Steps, one after the other, which begin at an instant with the fleet at rest."""

    at: Instant
    steps: list[StepSpec] = Field(min_length=1, max_length=MAX_STEPS)
