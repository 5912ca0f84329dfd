"""The keys behind sites: the authority that certifies them, and the key that signs their plans.

KeysError
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from controller.sites.calls import Credentials, identity_of

LIVES: Final = timedelta(days=14)
"""How long a site's certificate holds; agents renew it once two thirds of that are over."""
BACKDATED: Final = timedelta(minutes=5)
"""A certificate begins so much earlier, for clocks that are behind."""
MOST_REQUEST_CHARACTERS: Final = 16_384
MAX_KEY_BYTES: Final = 65_536
OTHERS: Final = 0o077
OTHERS_OF_ROOT: Final = 0o037
MOST_NAME_CHARACTERS: Final = 64
"""Of a common name (X.520, ub-common-name)."""


class KeysError(Exception):
    """A key or a request for a certificate cannot be used. The message tells the next step."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate that was made, with its serial number in hex as TLS tells it of a peer."""

    credentials: Credentials
    serial: str
    ends: datetime


@dataclass(frozen=True, slots=True)
class Authority:
    """What certifies sites and signs their plans. Both keys are secret: whoever has them is the controller."""

    certificate: x509.Certificate
    key: EllipticCurvePrivateKey
    plan_key: Ed25519PrivateKey

    @classmethod
    def read(cls, certificate: Path, key: Path, plan_key: Path) -> Self:
        """From files in PEM; those with keys may be read by nobody else. Raises KeysError."""
        try:
            found = x509.load_pem_x509_certificate(contents(certificate))
        except ValueError as error:
            raise KeysError(f"{certificate} is no certificate in PEM: `gridwright site keys` makes one") from error
        signs, plans = secret(key), secret(plan_key)
        if not isinstance(signs, EllipticCurvePrivateKey) or signs.public_key() != found.public_key():
            raise KeysError(f"{key} is not the key of {certificate}: name the pair that `gridwright site keys` made")
        if not isinstance(plans, Ed25519PrivateKey):
            raise KeysError(f"{plan_key} is no Ed25519 key: `gridwright site keys` makes one")
        return cls(found, signs, plans)

    def check(self, request: str) -> None:
        """Raises KeysError for a request that no certificate can be made for."""
        _requested(request)

    def issued(self, site: str, request: str, begins: datetime, now: datetime) -> Issued:
        """A certificate for a site, over the key of its request; nothing else of that counts. Raises KeysError.

        `begins` is no later than TLS takes it to be where it is shown.
        """
        ends = min(now + LIVES, self.certificate.not_valid_after_utc)
        if ends <= now:
            raise KeysError("the authority's own certificate has ended: make another with `gridwright site keys`")
        serial = x509.random_serial_number()
        made = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, site[:MOST_NAME_CHARACTERS])]))
            .issuer_name(self.certificate.subject)
            .public_key(_requested(request))
            .serial_number(serial)
            .not_valid_before(begins - BACKDATED)
            .not_valid_after(ends)
            .add_extension(
                x509.SubjectAlternativeName([x509.UniformResourceIdentifier(identity_of(site))]), critical=True
            )
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
            .add_extension(usage(signs_certificates=False), critical=True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
            .sign(self.key, hashes.SHA256())
        )
        credentials = Credentials(site, pem(made), pem(self.certificate), (public_pem(self.plan_key),))
        return Issued(credentials, f"{serial:X}", ends)


def _requested(request: str) -> EllipticCurvePublicKey | Ed25519PublicKey:
    """The key of a request, which whoever asks has shown to have."""
    if len(request) > MOST_REQUEST_CHARACTERS:
        raise KeysError(f"the request has over {MOST_REQUEST_CHARACTERS} characters: send a PKCS #10 request in PEM")
    try:
        asked = x509.load_pem_x509_csr(request.encode())
        key, is_theirs = asked.public_key(), asked.is_signature_valid
    except (ValueError, UnsupportedAlgorithm, InvalidSignature) as error:
        raise KeysError("the request cannot be read: send a PKCS #10 request in PEM") from error
    fits = isinstance(key, Ed25519PublicKey) or (
        isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1)
    )
    if not is_theirs or not fits:
        raise KeysError("the request is not signed by a key of its own on P-256 or Ed25519: make another key")
    return key  # type: ignore[return-value]  # `fits` has told


def usage(*, signs_certificates: bool) -> x509.KeyUsage:
    """What a key may be used for: signatures, and certificates where it is an authority's."""
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def contents(file: Path) -> bytes:
    """What a file of keys holds. Raises KeysError."""
    try:
        with file.open("rb") as stream:
            return stream.read(MAX_KEY_BYTES)
    except OSError as error:
        raise KeysError(f"{file} cannot be read ({error.strerror}): `gridwright site keys` makes the files") from error


def check_secret(file: Path) -> None:
    """Raises KeysError where others may read the file.

    The group may read one of root's, as pods have the files of a Secret (the same rule as PostgreSQL has for its key).
    """
    try:
        found = file.stat()
    except OSError as error:
        raise KeysError(f"{file} cannot be read ({error.strerror}): `gridwright site keys` makes the files") from error
    others = OTHERS_OF_ROOT if found.st_uid == 0 else OTHERS
    if found.st_mode & others:
        raise KeysError(f"{file} may be read by others (mode {found.st_mode & 0o777:o}): chmod 600 {file}")


def secret(file: Path) -> object:
    """The private key in a file that nobody else may read. Raises KeysError."""
    check_secret(file)
    try:
        return load_pem_private_key(contents(file), None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeysError(f"{file} holds no private key in PEM without a password") from error


def pem(certificate: x509.Certificate) -> str:
    """A certificate as text."""
    return certificate.public_bytes(Encoding.PEM).decode()


def public_pem(key: Ed25519PrivateKey) -> str:
    """The public part of a key as text."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
