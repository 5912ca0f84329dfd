"""A finding as one flat object for programs."""

from dataclasses import dataclass

from policy.findings import Finding


@dataclass(frozen=True, slots=True)
class Flat:
    """A finding without anything nested; `file` is relative to the policy's folder, line and column count from 1."""

    id: str
    level: str
    file: str | None
    line: int | None
    column: int | None
    message: str
    hint: str


def flat(finding: Finding) -> Flat:
    """The finding; without file, line and column where it has no place."""
    place = finding.place
    file, line, column = (place.file, place.line, place.column) if place else (None, None, None)
    return Flat(finding.id, finding.level.value, file, line, column, finding.message, finding.hint)
