"""A nonce in an attestation result: what it answers was said after the nonce was given out, whatever any clock says."""

from datetime import datetime, timedelta
from typing import Final

from collectors.evidence import refusals
from collectors.evidence.refusals import RefusedError
from collectors.evidence.span import issued
from collectors.evidence.token import Opened
from policy.findings import Place

NONCE: Final = "eat_nonce"


def given_out_at(opened: Opened, subject: tuple[str, str], place: Place, skew: timedelta) -> datetime | None:
    """When the nonce that the result carries was given out for its subject, and no later than its `iat`.

    None where it carries none, or none that the policy knows while none is given out for its subject. Raises
    RefusedError where another is given out, where the nonce is of another subject, and where the result is older.
    """
    kind, name = subject
    meant = {subject, ("pool", name.rpartition("-")[0])} if kind == "node" else {subject}
    every = opened.issuer.nonces
    given = [each for each in every if (each.subject_kind, each.subject) in meant]
    carried = _carried(opened, place)
    found = next((each for each in given if each.nonce in carried), None)
    if found is None:
        if carried and (given or not carried.isdisjoint(each.nonce for each in every)):
            raise RefusedError(refusals.other_nonce(place, kind, name))
        return None
    at = issued(opened, place)
    if at < found.issued_at - skew:
        raise RefusedError(refusals.before_its_nonce(place, at, found.issued_at))
    return min(found.issued_at, at)


def _carried(opened: Opened, place: Place) -> frozenset[str]:
    """The nonces of a result: one, or several where several asked (RFC 9711, section 4.1)."""
    found = opened.claims.get(NONCE, [])
    listed = found if isinstance(found, list) else [found]
    if not all(isinstance(each, str) for each in listed):
        raise RefusedError(refusals.malformed(place, f"`{NONCE}` is no text, and no list of texts"))
    return frozenset(listed)
