"""What came of a test, as plain data."""

from dataclasses import dataclass
from enum import StrEnum

from policy.findings import Place


class Outcome(StrEnum):
    """Every expectation held; some did not; or something could not happen, so that the rest was not judged."""

    PASSED = "passed"
    FAILED = "failed"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Failure:
    """What was expected, at its place, and what the plan says instead. `step` counts from 1."""

    place: Place
    expected: str
    found: str
    step: int = 0


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why an event or an expectation means nothing here, and the next step."""

    place: Place
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one test. `exercised` are the places of the clauses that took part in any of its plans."""

    test: str
    place: Place
    outcome: Outcome
    failures: tuple[Failure, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    exercised: tuple[Place, ...] = ()

    @property
    def has_passed(self) -> bool:
        """Whether everything was judged, and holds."""
        return self.outcome is Outcome.PASSED
