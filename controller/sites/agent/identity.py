"""By what an agent shows which site it is of: a key that never leaves its folder, and the hub's certificate for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_public_key,
)
from cryptography.x509.oid import NameOID

from collectors.recording import encode
from controller.sites.agent.keeping import AgentError, read_file, replace_file
from controller.sites.calls import Credentials, Enrolment
from controller.sites.signed import key_id

IDENTITY: Final = "identity.pem"
CREDENTIALS: Final = "credentials.json"
MOST_CHARACTERS: Final = 64
"""Of a common name."""
RENEWED_AFTER: Final = 2 / 3
"""Of a certificate's time: what is left is for trying again."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A site's certificate, with the file that has it and its key, and the keys that sign plans, by their ids."""

    file: Path
    authority: str
    plan_keys: Mapping[str, Ed25519PublicKey]
    begins: datetime
    ends: datetime

    def renewed_at(self) -> datetime:
        """When it is to be renewed."""
        return self.begins + (self.ends - self.begins) * RENEWED_AFTER


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was just made, in PEM, and the request for its certificate."""

    private: bytes
    request: str

    def enrolment(self, token: str = "") -> Enrolment:
        """The request as it is sent."""
        return Enrolment(self.request, token)


def new_key(site: str) -> NewKey:
    """A key of P-256, which every TLS 1.3 knows."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, site[:MOST_CHARACTERS])])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return NewKey(private, request.public_bytes(Encoding.PEM).decode())


def keep_identity(folder: Path, key: NewKey, credentials: Credentials) -> Identity:
    """Keep the key with its certificate, and what came with that. Raises AgentError."""
    identity = _identity(folder, credentials)
    replace_file(folder / IDENTITY, key.private + credentials.certificate.encode())
    replace_file(folder / CREDENTIALS, encode(credentials))
    return identity


def kept_identity(folder: Path, site: str) -> Identity | None:
    """Who the agent was when it ended; None before it was ever registered. Raises AgentError."""
    credentials = read_file(folder / CREDENTIALS, Credentials)
    if credentials is None or not (folder / IDENTITY).exists():
        return None
    if credentials.site != site:
        raise AgentError(f"{folder} has a certificate of {credentials.site}; give each site's agent its own folder")
    return _identity(folder, credentials)


def _identity(folder: Path, credentials: Credentials) -> Identity:
    try:
        certificate = x509.load_pem_x509_certificate(credentials.certificate.encode())
        keys = [load_pem_public_key(text.encode()) for text in credentials.plan_keys]
    except ValueError as error:
        raise AgentError(f"what the hub gave is no certificate or key ({error}); see whether it is a hub") from error
    return Identity(
        folder / IDENTITY,
        credentials.authority,
        {key_id(key): key for key in keys if isinstance(key, Ed25519PublicKey)},
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
    )
