"""A nonce in an attestation result: what it answers was said after the nonce was given out, whatever any clock says."""

from datetime import datetime, timedelta
from typing import Final

from collectors.evidence import refusals
from collectors.evidence.ear_names import ANNOTATED, SUBMODS
from collectors.evidence.refusals import RefusedError
from collectors.evidence.span import issued
from collectors.evidence.token import Opened
from policy.findings import Place

NONCE: Final = "eat_nonce"
RUNTIME_DATA: Final = "runtime_data_claims"
"""What Trustee repeats of the data that a workload had bound to its evidence; its `nonce` is what it was asked with."""


def given_out_at(opened: Opened, subject: tuple[str, str], place: Place, skew: timedelta) -> datetime | None:
    """When the nonce that the result carries was given out for its subject, and no later than its `iat`.

    None where it carries none, or none that the policy knows while none is given out for its subject. Raises
    RefusedError where another is given out, where the nonce is of another subject, and where the result is older.

    Without any of its own a result answers what each of its parts does: one part that was asked vouches for no other.
    Such nonces are often of the verifier's own making, so another one is no reason to refuse it.
    """
    kind, name = subject
    meant = {subject, ("pool", name.partition("/")[0])} if kind == "node" else {subject}
    every = opened.issuer.nonces
    given = [each for each in every if (each.subject_kind, each.subject) in meant]
    carried = _carried(opened, place)
    answered = carried or _of_every_part(opened.claims.get(SUBMODS))
    found = next((each for each in given if each.nonce in answered), None)
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


def _of_every_part(submods: object) -> frozenset[str]:
    """The nonces that all parts repeat; none where there is no part."""
    found = [_of_part(part) for part in submods.values()] if isinstance(submods, dict) else []
    return frozenset.intersection(*found) if found else frozenset()


def _of_part(part: object) -> frozenset[str]:
    evidence = part.get(ANNOTATED) if isinstance(part, dict) else None
    said = evidence.get(RUNTIME_DATA) if isinstance(evidence, dict) else None
    nonce = said.get("nonce") if isinstance(said, dict) else None
    return frozenset((nonce,)) if isinstance(nonce, str) else frozenset()
