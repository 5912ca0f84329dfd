"""Findings: what Gridwright has to tell a person, as data.

A finding is never an exception. It has a stable id that documentation and alerts may refer to, the place that caused
it, and a hint that names the next step.
"""

from dataclasses import dataclass
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
