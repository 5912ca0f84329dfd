"""Lists of revoked certificates (CRL, RFC 5280 section 5), read from the folder of evidence."""

import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
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
from policy.words import shown

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
MOST_LISTS: Final = 64
LABEL: Final = "X509 CRL"
_BLOCK: Final = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----[^-]*-----END \1-----", re.ASCII)


@dataclass(frozen=True, slots=True)
class Revocations:
    """The lists of a folder. What the files at `unread` revoke is not known, as they cannot be read."""

    lists: tuple[CertificateRevocationList, ...] = ()
    unread: tuple[Place, ...] = ()


@contextmanager
def strictly() -> Iterator[None]:
    """Let reading raise where `cryptography` would only warn that what it reads breaks RFC 5280."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", CryptographyDeprecationWarning)
        yield


def labels_of(text: str) -> tuple[str, ...]:
    """What each block of a text in PEM is called; nothing where one is cut short, so that it would go unseen."""
    if "-----" in _BLOCK.sub("", text):
        return ()
    return tuple(found[1] for found in _BLOCK.finditer(text))


def revocations(text: str, place: Place) -> tuple[CertificateRevocationList, ...] | Finding:
    """All lists in a text, or the finding that tells why they cannot be read. Who signed them, `known_until` asks."""
    labels = labels_of(text)
    if not labels or set(labels) != {LABEL}:
        return refusals.no_certificates(place, "it is not made of lists of revoked certificates in PEM alone")
    if len(labels) > MOST_LISTS:
        return refusals.no_certificates(place, f"it has {len(labels)} lists, over {MOST_LISTS}")
    try:
        found = tuple(_list(block[0]) for block in _BLOCK.finditer(text))
    except UNREADABLE:
        return refusals.no_certificates(place, "a list of revoked certificates in it is malformed")
    if any(extension.critical for one in found for extension in one.extensions):
        return refusals.no_certificates(place, "the list is not of all certificates: it has a critical extension")
    return found


def _list(block: str) -> CertificateRevocationList:
    """The list of one block, of which all that is asked for later can be read. Raises one of UNREADABLE."""
    with strictly():
        found = load_pem_x509_crl(block.encode())
    for entry in found:
        _ = entry.serial_number, entry.revocation_date_utc
    _ = found.issuer, found.last_update_utc, found.next_update_utc, found.extensions
    return found


def known_until(
    chain: Sequence[Certificate],
    known: Revocations,
    authority: Authority,
    now: datetime,
    place: Place,
) -> datetime:
    """Until when it is known that none of the chain is revoked: the first list that falls due, or for good without any.

    Raises RefusedError where one is, by any list that its own authority signed; where the last of those lists is
    overdue; where there is none and the policy asks for one; and where any list cannot be read, as it may be theirs.
    """
    until = FOREVER
    for each, above in pairwise(chain):
        name = above.subject.rfc4514_string()
        mine = [one for one in known.lists if one.issuer == above.subject and _is_signed_by(one, above)]
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
    if known.unread:
        name = chain[-1].subject.rfc4514_string()
        raise RefusedError(
            refusals.no_revocations(place, name, f"the list {shown(known.unread[0].file)} cannot be read")
        )
    return until


def _is_signed_by(one: CertificateRevocationList, authority: Certificate) -> bool:
    key = authority.public_key()
    if not isinstance(key, RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey):
        return False
    return bool(one.is_signature_valid(key))
