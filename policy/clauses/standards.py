"""Standards in ranges of versions, and which of them imply others."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

JUST_ABOVE: Final = (0, 0, 0, 0, 0, 1)
"""Parts that no version in a document has: between it and the next one there is always another."""


class Comparison(StrEnum):
    """How a version is held to another."""

    AT_LEAST = ">="
    ABOVE = ">"
    AT_MOST = "<="
    BELOW = "<"
    EXACTLY = "="


@dataclass(frozen=True, slots=True)
class VersionBound:
    """A version by number, and how another one has to stand to it. Missing parts count as 0: 4 is 4.0."""

    comparison: Comparison
    version: tuple[int, ...]

    def admits(self, version: tuple[int, ...]) -> bool:
        """Whether a version stands so."""
        one, other = _without_zeros(version), _without_zeros(self.version)
        match self.comparison:
            case Comparison.AT_LEAST:
                return one >= other
            case Comparison.ABOVE:
                return one > other
            case Comparison.AT_MOST:
                return one <= other
            case Comparison.BELOW:
                return one < other
            case Comparison.EXACTLY:
                return one == other

    def __str__(self) -> str:
        return f"{self.comparison}{'.'.join(map(str, self.version))}"


@dataclass(frozen=True, slots=True)
class Standard:
    """A standard in any version that every bound admits."""

    name: str
    bounds: tuple[VersionBound, ...] = ()

    def met_by(self, name: str, version: tuple[int, ...]) -> bool:
        """Whether that version of that standard is meant."""
        return name == self.name and all(bound.admits(version) for bound in self.bounds)

    @property
    def is_possible(self) -> bool:
        """Whether any version is meant."""
        return any(self.met_by(self.name, version) for version in _telling(self.bounds))

    def is_within(self, other: "Standard") -> bool:
        """Whether the other one means every version of it that this one means."""
        versions = _telling((*self.bounds, *other.bounds))
        return all(other.met_by(self.name, version) for version in versions if self.met_by(self.name, version))

    def __str__(self) -> str:
        return f"{self.name} {', '.join(map(str, self.bounds))}".strip()


def covered(standard: Standard, by: Iterable[Standard]) -> bool:
    """Whether every version that the standard means is meant by one of the others, too."""
    others = [other for other in by if other.name == standard.name]
    versions = _telling(tuple(bound for each in (standard, *others) for bound in each.bounds))
    return all(
        any(other.met_by(standard.name, version) for other in others)
        for version in versions
        if standard.met_by(standard.name, version)
    )


def _telling(bounds: tuple[VersionBound, ...]) -> list[tuple[int, ...]]:
    """Versions by which ranges are told apart: 0, those that a bound names, and the ones just above."""
    named = [bound.version for bound in bounds]
    return [(0,), *named, *((*version, *JUST_ABOVE) for version in named)]


def _without_zeros(version: tuple[int, ...]) -> tuple[int, ...]:
    """The same version without zeros at its end, so that tuples compare as versions do."""
    end = len(version)
    while end and version[end - 1] == 0:
        end -= 1
    return version[:end]
