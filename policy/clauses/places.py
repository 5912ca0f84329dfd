"""Clauses on where data goes and how: jurisdictions, links, encodings, kinds of capacity."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from policy.findings import Place

if TYPE_CHECKING:
    from policy.resolved import Encryption, Fidelity, Purchase


@dataclass(frozen=True, slots=True)
class ResidencyClause:
    """Every site and hop that sees the data must lie within one of these jurisdictions."""

    within: tuple[str, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class LinkSecurityClause:
    """Every hop must be protected at least this well."""

    encryption: "Encryption"
    place: Place


@dataclass(frozen=True, slots=True)
class PurchaseClause:
    """Every pool must be bought in one of these ways."""

    among: "tuple[Purchase, ...]"
    place: Place


@dataclass(frozen=True, slots=True)
class LocalityClause:
    """Every covered stage runs at the site that its requests come from."""

    place: Place


@dataclass(frozen=True, slots=True)
class PayloadClause:
    """Payloads cross links at least this true to what was sent."""

    fidelity: "Fidelity"
    place: Place
