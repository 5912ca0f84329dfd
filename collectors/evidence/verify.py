"""A token against the issuers of a policy, at an instant: what it gives, or why it gives nothing."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from collectors.evidence.ear import PROFILE, Appraisal, appraised
from collectors.evidence.records import Evidence
from collectors.evidence.refusals import RefusedError
from collectors.evidence.scope import check_not_revoked
from collectors.evidence.span import SKEW
from collectors.evidence.statement import stated
from collectors.evidence.token import open_token
from policy.findings import Finding, Place
from policy.resolved import Issuer


def verify(
    token: str | bytes, issuers: Sequence[Issuer], now: datetime, place: Place, skew: timedelta = SKEW
) -> Evidence | Appraisal | Finding:
    """The statement or the attestation result in a token, or the finding that tells why it does not count at `now`.

    A JWT is a text, a CWT octets.
    """
    try:
        opened = open_token(token, issuers, place)
        check_not_revoked(opened.issuer, "statement", (f"sha256:{opened.digest}",), place)
        check_not_revoked(opened.issuer, "jti", (str(opened.claims.get("jti")),), place)
        read = appraised if PROFILE in opened.claims else stated
        return read(opened, now, place, skew)
    except RefusedError as refused:
        return refused.finding
