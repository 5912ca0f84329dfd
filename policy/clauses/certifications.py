"""Clauses on what sites and pools are certified for."""

from dataclasses import dataclass

from policy.clauses.standards import Standard, covered
from policy.findings import Place


@dataclass(frozen=True, slots=True)
class CertificationClause:
    """At least one of these standards must be held."""

    any_of: tuple[Standard, ...]
    place: Place

    def met_by(self, name: str, version: tuple[int, ...]) -> bool:
        """Whether that version of that standard is one of them."""
        return any(standard.met_by(name, version) for standard in self.any_of)

    def is_within(self, other: "CertificationClause") -> bool:
        """Whether whatever meets this clause meets the other one."""
        return all(covered(standard, other.any_of) for standard in self.any_of)

    def __str__(self) -> str:
        return " or ".join(map(str, self.any_of))


@dataclass(frozen=True, slots=True)
class ForbiddenClause:
    """A standard that must not be held: what it says of a site or a pool is not wanted."""

    standard: Standard
    place: Place
