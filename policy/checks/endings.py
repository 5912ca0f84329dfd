"""Evidence that ends soon: what it protects has to move before."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, Protocol

from policy.catalogue import warning
from policy.findings import Finding, Place

NOTICE: Final = timedelta(days=30)
"""How long before the end it is said, of what holds for long."""


class Dated(Protocol):
    """A piece of evidence, as far as its end goes."""

    @property
    def id(self) -> str:
        """Its name."""
        ...

    @property
    def issued_at(self) -> datetime:
        """The first instant at which it holds."""
        ...

    @property
    def expires_at(self) -> datetime:
        """The first instant at which it does not hold any more."""
        ...

    @property
    def place(self) -> Place:
        """Where it is written."""
        ...


def endings(evidence: Iterable[Dated], now: datetime) -> tuple[Finding, ...]:
    """A warning for each piece of evidence that has ended, or ends within NOTICE of `now`.

    Of what is renewed more often than that, it is said in the last third of its life.
    """
    return tuple(
        warning("GW0340", each.place, _told(each, now), "renew it, or take it out once nothing goes by it")
        for each in evidence
        if each.expires_at - now <= min(NOTICE, (each.expires_at - each.issued_at) / 3)
    )


def nothing_left(what: str, at: datetime, place: Place) -> Finding:
    """A warning that from an instant on nothing is allowed to serve what a service needs."""
    hint = "renew the evidence that ends then, or have another pool or variant vouched for before"
    return warning("GW0440", place, f"nothing may serve {what} from {at.isoformat()} on", hint)


def not_removed(stage: str, datum: str, variant: str, place: Place) -> Finding:
    """A warning that a declared removal does not count, for want of somebody's word on a variant."""
    message = f"{stage} does not count as removing the {datum}: nobody vouches for {variant}, or not for long enough"
    hint = "have the variant tested and signed, or expect what comes after to be protected as if it carried that"
    return warning("GW0388", place, message, hint)


def _told(each: Dated, now: datetime) -> str:
    end = each.expires_at.isoformat()
    if each.expires_at <= now:
        return f"`{each.id}` ended at {end}, and nothing may go by it any more"
    return f"`{each.id}` ends at {end}, {(each.expires_at - now).days} full days from now"
