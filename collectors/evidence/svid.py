"""X.509-SVIDs (SPIFFE): certificates in which an authority of the policy names a site or a pool.

A certificate is public, so that it lies in the folder proves no more than that its authority has named the subject.
"""

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from cryptography.x509 import (
    BasicConstraints,
    Certificate,
    ExtensionNotFound,
    KeyUsage,
    SubjectAlternativeName,
    UniformResourceIdentifier,
    load_pem_x509_certificates,
)
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from collectors.evidence import refusals
from collectors.evidence.records import Evidence
from collectors.evidence.refusals import RefusedError
from collectors.evidence.revocations import UNREADABLE, Revocations, known_until, labels_of, strictly
from collectors.evidence.scope import check_not_revoked, check_standard, check_subject
from collectors.evidence.span import SKEW
from policy.catalogue import error
from policy.clauses import SVID
from policy.findings import Finding, Place
from policy.keys import root
from policy.resolved import Authority, Issuer

MOST_CERTIFICATES: Final = 8
MAX_CHARACTERS: Final = 65_536
LABELS: Final = frozenset({"CERTIFICATE", "X509 CERTIFICATE"})
_ID: Final = re.compile(r"spiffe://([a-z0-9._-]{1,255})((?:/[A-Za-z0-9._-]+)*)", re.ASCII)
_SUBJECT: Final = re.compile(r"/(site|pool)/([^/]+)")


def named(
    text: str, issuers: Sequence[Issuer], revoked: Revocations, now: datetime, place: Place
) -> Evidence | Finding:
    """Whom the certificate names, from when until when; or the finding that tells why it does not count.

    One that begins later counts from then on. Until there is a list that reaches so far, it is only told.
    """
    try:
        certificates = _certificates(text, place)
        domain, path = _identity(certificates[0], place)
        for each in certificates[1:]:
            _check_authority(each, place)
        issuer, authority = _issuer(domain, issuers, place)
        begins, ends = _span(certificates, issuer, now, place)
        chain = _chain(certificates, authority, min(max(now, begins), ends), issuer, place)
        mark = hashlib.sha256(certificates[0].tbs_certificate_bytes).hexdigest()
        check_not_revoked(issuer, "statement", (f"sha256:{mark}",), place)
        ends = min(ends, chain[-1].not_valid_after_utc, known_until(chain, revoked, authority, now, place))
        _check_reaches(begins, ends, place)
        kind, name = _subject(path, place)
        check_subject(kind, name, issuer, place)
        check_standard(SVID, issuer, place)
    except RefusedError as refused:
        return refused.finding
    except UNREADABLE:
        return refusals.no_certificates(place, "a certificate in it cannot be read")
    return Evidence(
        id=f"{issuer.name}/{mark[:16]}",
        subject_kind=kind,
        subject=name,
        standard=SVID,
        version=(1,),
        issuer=issuer.iss,
        issued_at=begins,
        expires_at=ends,
        place=place,
        digest=mark,
    )


def _certificates(text: str, place: Place) -> list[Certificate]:
    if len(text) > MAX_CHARACTERS:
        raise RefusedError(refusals.no_certificates(place, f"it has {len(text)} characters, over {MAX_CHARACTERS}"))
    if "PRIVATE KEY" in text:
        reason = "it holds a private key, which is not safe any more"
        raise RefusedError(refusals.no_certificates(place, reason))
    labels = labels_of(text)
    if not labels:
        raise RefusedError(refusals.no_certificates(place, "there is no certificate in PEM, or a block is cut short"))
    if not set(labels) <= LABELS:
        raise RefusedError(refusals.no_certificates(place, "it holds something else than certificates"))
    try:
        with strictly():
            found = load_pem_x509_certificates(text.encode())
    except UNREADABLE as trouble:
        raise RefusedError(refusals.no_certificates(place, "there is no certificate in PEM")) from trouble
    if len(found) > MOST_CERTIFICATES:
        raise RefusedError(
            refusals.no_certificates(place, f"it has {len(found)} certificates, over {MOST_CERTIFICATES}")
        )
    return found


def _identity(leaf: Certificate, place: Place) -> tuple[str, str]:
    """Trust domain and path of the only URI that the certificate is for (X.509-SVID, sections 2 to 5)."""
    try:
        names = leaf.extensions.get_extension_for_class(SubjectAlternativeName).value
        usage = leaf.extensions.get_extension_for_class(KeyUsage).value
    except ExtensionNotFound as trouble:
        raise RefusedError(refusals.no_svid(place, "subject alternative name or key usage is missing")) from trouble
    uris = names.get_values_for_type(UniformResourceIdentifier)
    identity = _ID.fullmatch(uris[0]) if len(uris) == 1 else None
    if identity is None:
        raise RefusedError(refusals.no_svid(place, "it is not for exactly one spiffe:// URI"))
    if _is_authority(leaf):
        raise RefusedError(refusals.no_svid(place, "it is an authority's, and signs nothing but certificates"))
    if not usage.digital_signature:
        raise RefusedError(refusals.no_svid(place, "it is not for digital signatures"))
    if usage.key_cert_sign or usage.crl_sign:
        raise RefusedError(refusals.no_svid(place, "it may sign certificates or lists of revoked ones"))
    return identity[1], identity[2]


def _check_authority(each: Certificate, place: Place) -> None:
    try:
        signs = each.extensions.get_extension_for_class(KeyUsage).value.key_cert_sign
        is_authority = _is_authority(each)
    except ExtensionNotFound:
        signs = is_authority = False
    if not is_authority:
        raise RefusedError(refusals.no_svid(place, "a certificate between it and the root is not an authority's"))
    if not signs:
        raise RefusedError(refusals.no_svid(place, "an authority between it and the root may not sign certificates"))


def _is_authority(each: Certificate) -> bool:
    try:
        return bool(each.extensions.get_extension_for_class(BasicConstraints).value.ca)
    except ExtensionNotFound:
        return False


def _issuer(domain: str, issuers: Sequence[Issuer], place: Place) -> tuple[Issuer, Authority]:
    known = {issuer.authority.trust_domain: (issuer, issuer.authority) for issuer in issuers if issuer.authority}
    if domain not in known:
        raise RefusedError(refusals.unknown_domain(place, domain, known))
    return known[domain]


def _subject(path: str, place: Place) -> tuple[str, str]:
    found = _SUBJECT.fullmatch(path)
    if found is None:
        raise RefusedError(refusals.no_subject(place, path))
    return found[1], found[2]


def _span(
    certificates: Sequence[Certificate], issuer: Issuer, now: datetime, place: Place
) -> tuple[datetime, datetime]:
    """While all of the file's certificates hold; the last second of the first that ends is left out."""
    begins = max(each.not_valid_before_utc for each in certificates)
    ends = min(each.not_valid_after_utc for each in certificates)
    if ends <= begins:
        hint = "have it issued anew: no instant lies in the lives of all its certificates"
        raise RefusedError(error("GW0401", place, "the chain ends before it begins", hint))
    if ends <= now - SKEW:
        raise RefusedError(refusals.ended(place, ends))
    if issuer.max_age_s:
        issued = certificates[0].not_valid_before_utc
        ends = min(ends, issued + timedelta(seconds=issuer.max_age_s))
        if ends <= max(begins, now - SKEW):
            raise RefusedError(refusals.too_old(place, issued, issuer))
    return begins, ends


def _check_reaches(begins: datetime, ends: datetime, place: Place) -> None:
    """Raises RefusedError while it is not known that nothing will be revoked when all begins."""
    if ends <= begins:
        raise RefusedError(refusals.not_yet(place, begins))


def _chain(
    certificates: Sequence[Certificate], authority: Authority, at: datetime, issuer: Issuer, place: Place
) -> list[Certificate]:
    """The certificates from the first to a root of the authority, all signed and fit at an instant (RFC 5280)."""
    leaf, *between = certificates
    try:
        store = Store([root(pem) for pem in authority.roots])
        verifier = PolicyBuilder().store(store).time(at).build_client_verifier()
        return list(verifier.verify(leaf, between).chain)
    except (VerificationError, ValueError) as trouble:
        reason = str(trouble).partition(" (encountered")[0]
        raise RefusedError(refusals.no_path(place, issuer, reason)) from trouble
