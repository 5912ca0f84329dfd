"""The files that a controller needs for its sites, made by itself where an operator has no authority of their own."""

import ipaddress
import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from controller.sites.hub.authority import BACKDATED, Authority, KeysError, pem, usage

AUTHORITY: Final = "authority.pem"
AUTHORITY_KEY: Final = "authority-key.pem"
CERTIFICATE: Final = "controller.pem"
KEY: Final = "controller-key.pem"
PLAN_KEY: Final = "plan-key.pem"
LIVES: Final = timedelta(days=3650)
SERVES: Final = timedelta(days=825)
"""How long the controller's own certificate holds; many clients take none that holds longer."""


@dataclass(frozen=True, slots=True)
class Signer:
    """An authority in the making."""

    name: x509.Name
    key: EllipticCurvePrivateKey


def make_keys(folder: Path, hosts: tuple[str, ...], now: datetime) -> tuple[Path, ...]:
    """Make the authority, the controller's certificate for these hosts, and the key of plans, in a folder.

    Files that are there are never written over. Raises KeysError.
    """
    key = generate_private_key(SECP256R1())
    signer = Signer(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Gridwright sites")]), key)
    own = generate_private_key(SECP256R1())
    written = {
        AUTHORITY: pem(_authority(signer, now)).encode(),
        AUTHORITY_KEY: _private(key),
        CERTIFICATE: pem(_serving(signer, own, hosts, now)).encode(),
        KEY: _private(own),
        PLAN_KEY: _private(Ed25519PrivateKey.generate()),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        there = [name for name in written if (folder / name).exists()]
        if there:
            raise KeysError(f"{folder / there[0]} is there already: give another folder, or move what is in this one")
        for name, data in written.items():
            _write(folder / name, data)
    except OSError as error:
        raise KeysError(f"{error.filename} cannot be written ({error.strerror}): give a folder of your own") from error
    return tuple(folder / name for name in written)


def renew_certificate(folder: Path, hosts: tuple[str, ...], now: datetime) -> tuple[Path, ...]:
    """Make another certificate of the controller's for these hosts, with a new key, by the authority in a folder.

    What was there is replaced once both are written, for neither serves with the other one's before. Raises KeysError.
    """
    authority = Authority.read(folder / AUTHORITY, folder / AUTHORITY_KEY, folder / PLAN_KEY)
    signer = Signer(authority.certificate.subject, authority.key)
    own = generate_private_key(SECP256R1())
    made = {KEY: _private(own), CERTIFICATE: pem(_serving(signer, own, hosts, now)).encode()}
    partials = {name: folder / f"{name}.partial" for name in made}
    try:
        for name, partial in partials.items():
            partial.unlink(missing_ok=True)
            _write(partial, made[name])
        for name, partial in partials.items():
            partial.replace(folder / name)
    except OSError as error:
        raise KeysError(f"{error.filename} cannot be written ({error.strerror}): give a folder of your own") from error
    return tuple(folder / name for name in made)


def _authority(signer: Signer, now: datetime) -> x509.Certificate:
    builder = _named(signer.name, signer, now, LIVES).public_key(signer.key.public_key())
    constraints = x509.BasicConstraints(ca=True, path_length=0)
    key_id = x509.SubjectKeyIdentifier.from_public_key(signer.key.public_key())
    return (
        builder.add_extension(constraints, critical=True)
        .add_extension(usage(signs_certificates=True), critical=True)
        .add_extension(key_id, critical=False)
        .sign(signer.key, hashes.SHA256())
    )


def _serving(signer: Signer, key: EllipticCurvePrivateKey, hosts: tuple[str, ...], now: datetime) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Gridwright controller")])
    return (
        _named(name, signer, now, SERVES)
        .public_key(key.public_key())
        .add_extension(x509.SubjectAlternativeName([_host(host) for host in hosts]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(usage(signs_certificates=False), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.key.public_key()), critical=False)
        .sign(signer.key, hashes.SHA256())
    )


def _named(name: x509.Name, signer: Signer, now: datetime, lives: timedelta) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(signer.name)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + lives)
    )


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _private(key: EllipticCurvePrivateKey | Ed25519PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _write(file: Path, data: bytes) -> None:
    """Write a new file that nobody else may read."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(data)
