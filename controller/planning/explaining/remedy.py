"""What somebody can do about a reason for which a clause bars a use, by the clause's rule."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

REMEDIES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "certification": "have it certified",
        "forbidden_certification": "forbid less",
        "attestation": "have it attested",
        "encryption_at_rest": "have it vouched for",
        "provenance": "have the variant vouched for",
        "pinned": "name the variant's digest, too",
        "residency": "allow one more jurisdiction",
        "link_security": "encrypt the link, or ask for less",
        "link_evidence": "have the link vouched for",
        "purchase": "allow this way to buy, too",
        "locality": "let the stage run away from its origin",
        "separation": "dedicate the pool to what the profile covers",
        "dedication": "dedicate the pool to this service, too",
        "placement": "let the stage run there, too",
        "maintenance": "work at another time",
        "accuracy": "lower the floor, or let a step of `degrade` name the variant",
    }
)
"""A rule of which none is listed has no use that it bars: all it bars are paths."""


def remedy(rule: str) -> str:
    """What to do, as an order."""
    return REMEDIES[rule]
