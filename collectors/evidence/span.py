"""When a signed statement holds, and whether it may still come to that, by the clock that is given."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from collectors.evidence import refusals
from collectors.evidence.refusals import RefusedError
from collectors.evidence.token import Opened
from policy.catalogue import error
from policy.findings import Place

SKEW: Final = timedelta(seconds=60)
"""The most that the clocks of an issuer and of this machine may differ by."""
_LAST: Final = datetime(9999, 1, 1, tzinfo=UTC).timestamp()


def span(opened: Opened, now: datetime, skew: timedelta, place: Place) -> tuple[datetime, datetime]:
    """From when until when the statement holds, in UTC: until `exp`, and no longer than its issuer is believed.

    Raises RefusedError for a statement that is over or is not issued yet, whichever of two clocks that differ by `skew`
    is right. One that begins later passes, for what is forbidden must be seen coming, as does one that just ended by
    the other clock alone: who uses it goes by its begin and its end.
    """
    issuer, claims, said = opened.issuer, opened.claims, issued(opened, place)
    if said > now + skew:
        raise RefusedError(refusals.from_the_future(place, said, skew))
    begins = max(said, _instant(claims, "nbf", place) or said)
    ends = _instant(claims, "exp", place)
    if ends is None and not issuer.max_age_s:
        raise RefusedError(refusals.malformed(place, "it never ends: it has no `exp`, and its Issuer no `maxAge`"))
    believed = said + timedelta(seconds=issuer.max_age_s) if issuer.max_age_s else ends
    until = min(each for each in (ends, believed) if each is not None)
    if until <= begins:
        hint = "let `exp`, and `maxAge` of the Issuer, reach beyond `nbf` and `iat`"
        raise RefusedError(error("GW0401", place, "the statement ends before it begins", hint))
    if ends is not None and ends <= now - skew:
        raise RefusedError(refusals.ended(place, ends))
    if until <= now - skew:
        raise RefusedError(refusals.too_old(place, said, issuer))
    return begins, until


def issued(opened: Opened, place: Place) -> datetime:
    """When the issuer says that it said so (`iat`), in UTC. Raises RefusedError where it does not."""
    found = _instant(opened.claims, "iat", place)
    if found is None:
        raise RefusedError(refusals.malformed(place, "`iat` is missing"))
    return found


def _instant(claims: Mapping[str, Any], name: str, place: Place) -> datetime | None:
    """A claim that is a NumericDate (RFC 7519, section 2): seconds since 1970, UTC; None when there is none."""
    if name not in claims:
        return None
    seconds = claims[name]
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        raise RefusedError(refusals.malformed(place, f"`{name}` is no number of seconds since 1970"))
    if not 0 <= seconds < _LAST:
        raise RefusedError(refusals.malformed(place, f"`{name}` is no time between 1970 and 9999"))
    return datetime.fromtimestamp(seconds, UTC)
