"""Findings: what Gridwright has to tell a person, as data.

A finding is never an exception. It has a stable id that documentation and alerts may refer to, the place that caused
it, and a hint that names the next step.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum


class Level(StrEnum):
    """How much a finding matters: an error forbids using the document, a warning and an info do not."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A position in a policy file; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to tell a person: what is wrong or notable, where, and what to do next."""

    id: str
    level: Level
    message: str
    hint: str
    place: Place | None = None
    subject: str = ""

    def __str__(self) -> str:
        where = f"{self.place}: " if self.place else f"{self.subject}: " if self.subject else ""
        return f"{where}{self.level} {self.id}: {self.message} ({self.hint})"


def without(findings: Iterable[Finding], others: Iterable[Finding]) -> tuple[Finding, ...]:
    """Those that the others do not hold, each as often as it is there more often, wherever it stands in its file."""
    left = Counter(_unmoved(finding) for finding in others)
    kept = []
    for finding in findings:
        key = _unmoved(finding)
        if left[key]:
            left[key] -= 1
        else:
            kept.append(finding)
    return tuple(kept)


def _unmoved(finding: Finding) -> Finding:
    """The finding at the beginning of its file."""
    return replace(finding, place=replace(finding.place, line=1, column=1)) if finding.place else finding
