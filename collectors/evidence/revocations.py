"""Lists of revoked certificates (CRL, RFC 5280 section 5), read from the folder of evidence."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import pairwise
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509 import (
    Certificate,
    CertificateRevocationList,
    DuplicateExtension,
    InvalidVersion,
    UnsupportedGeneralNameType,
    load_pem_x509_crl,
)

from collectors.evidence import refusals
from collectors.evidence.records import FOREVER, UNDATED
from collectors.evidence.refusals import RefusedError
from policy.findings import Finding, Place
from policy.resolved import Authority

UNREADABLE: Final = (
    TypeError,
    ValueError,
    CryptographyDeprecationWarning,
    DuplicateExtension,
    InvalidVersion,
    UnsupportedAlgorithm,
    UnsupportedGeneralNameType,
)
"""What certificates and lists raise that are not as they should be."""


@contextmanager
def strictly() -> Iterator[None]:
    """Let reading raise where `cryptography` would only warn that what it reads breaks RFC 5280."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", CryptographyDeprecationWarning)
        yield


def revocations(text: str, place: Place) -> CertificateRevocationList | Finding:
    """The list in a text, or the finding that tells that there is none. Who signed it, `known_until` asks."""
    try:
        with strictly():
            found = load_pem_x509_crl(text.encode())
        for entry in found:
            _ = entry.serial_number, entry.revocation_date_utc
        _ = found.issuer, found.last_update_utc, found.next_update_utc, found.extensions
    except UNREADABLE:
        return refusals.no_certificates(place, "there is no list of revoked certificates in PEM")
    if any(extension.critical for extension in found.extensions):
        return refusals.no_certificates(place, "the list is not of all certificates: it has a critical extension")
    return found


def known_until(
    chain: Sequence[Certificate],
    lists: Sequence[CertificateRevocationList],
    authority: Authority,
    now: datetime,
    place: Place,
) -> datetime:
    """Until when it is known that none of the chain is revoked: the first list that falls due, or for good without any.

    Raises RefusedError where one is, by any list that its own authority signed; where the last of those lists is
    overdue; and where there is none and the policy asks for one.
    """
    until = FOREVER
    for each, above in pairwise(chain):
        name = above.subject.rfc4514_string()
        mine = [one for one in lists if one.issuer == above.subject and _is_signed_by(one, above)]
        entries = (one.get_revoked_certificate_by_serial_number(each.serial_number) for one in mine)
        revoked = next((entry for entry in entries if entry is not None), None)
        if revoked is not None:
            raise RefusedError(refusals.revoked_certificate(place, each.serial_number, revoked.revocation_date_utc))
        if not mine and authority.needs_crl:
            raise RefusedError(refusals.no_revocations(place, name, "no list of it lies in the folder"))
        if mine:
            due = max(one.next_update_utc or UNDATED for one in mine)
            if due <= now:
                raise RefusedError(refusals.no_revocations(place, name, "its list is overdue"))
            until = min(until, due)
    return until


def _is_signed_by(one: CertificateRevocationList, authority: Certificate) -> bool:
    key = authority.public_key()
    if not isinstance(key, RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey):
        return False
    return bool(one.is_signature_valid(key))
