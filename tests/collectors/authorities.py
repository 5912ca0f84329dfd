"""Certification authorities made for a test, with the certificates and the lists that they sign."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from signing import NOW, YAML

from policy.resolved import Authority, Issuer

DAY = timedelta(days=1)
NOTHING = dict.fromkeys(
    (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    ),
    False,
)
SIGNS = x509.KeyUsage(**{**NOTHING, "key_cert_sign": True, "crl_sign": True})
SERVES = x509.KeyUsage(**{**NOTHING, "digital_signature": True})


def called(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


@dataclass(frozen=True)
class Signer:
    """An authority, or whoever has a certificate."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(Encoding.PEM).decode()

    def authority(self, name: str, **changed: Any) -> "Signer":
        return certified(name, self, **{"constraints": x509.BasicConstraints(ca=True, path_length=None), **changed})

    def workload(self, *uris: str, **changed: Any) -> "Signer":
        given = {"uris": uris, "usage": SERVES, "constraints": x509.BasicConstraints(ca=False, path_length=None)}
        return certified("workload", self, **{**given, **changed})

    def revoking(self, *revoked: "Signer", due: datetime = NOW + DAY, last: datetime = NOW - DAY) -> str:
        """A list of what this authority has revoked."""
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.certificate.subject)
        builder = builder.last_update(last).next_update(due)
        for each in revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(each.certificate.serial_number)
            builder = builder.add_revoked_certificate(entry.revocation_date(last).build())
        return builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def certified(
    name: str,
    by: Signer | None,
    *,
    uris: Sequence[str] = (),
    usage: x509.KeyUsage | None = SIGNS,
    constraints: x509.BasicConstraints | None = None,
    begins: datetime = NOW - 2 * DAY,
    ends: datetime = NOW + 30 * DAY,
    serial: int = 0,
) -> Signer:
    key = ec.generate_private_key(ec.SECP256R1())
    signing = by.key if by else key
    builder = x509.CertificateBuilder().subject_name(called(name)).public_key(key.public_key())
    builder = builder.issuer_name(by.certificate.subject if by else called(name))
    builder = (
        builder.serial_number(serial or x509.random_serial_number()).not_valid_before(begins).not_valid_after(ends)
    )
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    above = x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key())
    builder = builder.add_extension(above, critical=False)
    if constraints:
        builder = builder.add_extension(constraints, critical=True)
    if usage:
        builder = builder.add_extension(usage, critical=True)
    if uris:
        names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(each) for each in uris])
        builder = builder.add_extension(names, critical=False)
    return Signer(builder.sign(signing, hashes.SHA256()), key)


def root_of(name: str = "root", **changed: Any) -> Signer:
    return certified(name, None, **{"constraints": x509.BasicConstraints(ca=True, path_length=None), **changed})


def trusting(*roots: Signer, needs_crl: bool = False, domain: str = "example.org", **changed: Any) -> Issuer:
    """An issuer that is known by its roots alone."""
    authority = Authority(domain, tuple(each.pem for each in roots), needs_crl, YAML)
    issuer = Issuer("ca", "ca", (), (), ("x509-svid",), ("paris",), ("gpu",), "", 0, YAML, authority=authority)
    return replace(issuer, **changed)
