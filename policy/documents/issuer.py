"""Issuer: who may certify what, and the public keys that the statements are verified with."""

import re
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from policy.documents.base import Choice, DurationS, Instant, Line, Name, Spec
from policy.documents.model import Digest
from policy.documents.written import pattern
from policy.words import shown

_PRIVATE: Final = ("d", "p", "q", "dp", "dq", "qi", "oth", "k")
"""The members of a JWK that only its owner may know (RFC 7518, section 6)."""
_BASE64URL: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
_CHARACTERS: Final = 1_400
"""An RSA modulus of 8192 bits has 1366."""

Algorithm = Literal["ES256", "ES384", "ES512", "EdDSA", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"]
"""Signatures by a key pair: `none` signs nothing, and whoever verifies an HS… could also sign it."""


def _base64url(text: str) -> str:
    if not text or not _BASE64URL.issuperset(text):
        raise ValueError("is not base64url: expected letters, digits, - and _ without padding")
    return text


Base64Url = Annotated[
    str,
    Field(max_length=_CHARACTERS),
    AfterValidator(_base64url),
    pattern("^[A-Za-z0-9_-]+$", "base64url: letters, digits, - and _ without padding"),
]


_NONCE: Final = re.compile(r"[A-Za-z0-9_-]{22,86}", re.ASCII)


def _nonce(text: str) -> str:
    if not _NONCE.fullmatch(text):
        raise ValueError("is not 22 to 86 characters of base64url: `gridwright evidence nonce` makes one")
    return text


Nonce = Annotated[
    str, AfterValidator(_nonce), pattern(f"^{_NONCE.pattern}$", "16 to 64 random octets in base64url, without padding")
]


_NODE: Final = re.compile(r"[a-z0-9](?:[-a-z0-9.]{0,61}[a-z0-9])?/[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?", re.ASCII)
"""A pool's name and, of up to 253 characters, what Kubernetes may call a node."""


def _node(text: str) -> str:
    if not _NODE.fullmatch(text):
        raise ValueError(f"{shown(text)} is not a node with its pool: expected POOL/NODE, such as edge-paris/gpu-17")
    return text


Node = Annotated[str, AfterValidator(_node), pattern(f"^{_NODE.pattern}$", "POOL/NODE, such as edge-paris/gpu-17")]


class KeySpec(Spec):
    """A public key as a JWK (RFC 7517)."""

    kty: Literal["EC", "OKP", "RSA"]
    kid: Line | None = None
    crv: Literal["P-256", "P-384", "P-521", "Ed25519"] | None = None
    x: Base64Url | None = None
    y: Base64Url | None = None
    n: Base64Url | None = None
    e: Base64Url | None = None
    use: Literal["sig"] | None = None
    alg: Algorithm | None = None

    @model_validator(mode="before")
    @classmethod
    def _public(cls, data: Any) -> Any:
        if isinstance(data, dict) and any(member in data for member in _PRIVATE):
            raise ValueError(
                "holds a private or secret key, which is not safe any more: make a new one, give x, y or n, e"
            )
        return data


_PEM: Final = re.compile(r"\s*-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*", re.ASCII)
_PEM_CHARACTERS: Final = 16_384


def _pem(text: str) -> str:
    if not _PEM.fullmatch(text):
        raise ValueError("is not one certificate in PEM: expected -----BEGIN CERTIFICATE----- to its end")
    return text


Pem = Annotated[
    str,
    Field(max_length=_PEM_CHARACTERS),
    AfterValidator(_pem),
    pattern(f"^{_PEM.pattern}$", "one certificate in PEM, -----BEGIN CERTIFICATE----- to its end"),
]


class X509Spec(Spec):
    """The certification authorities of a SPIFFE trust domain."""

    trust_domain: Name
    roots: list[Pem] = Field(min_length=1)
    crl: bool = False


class ClaimsSpec(Spec):
    """What the issuer is believed about: these standards, of these sites, pools, links and models."""

    standards: list[Name] = Field(min_length=1)
    sites: list[Name] = Field(default_factory=list)
    pools: list[Name] = Field(default_factory=list)
    links: list[Name] = Field(default_factory=list)
    models: list[Name] = Field(default_factory=list)

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if not any((self.sites, self.pools, self.links, self.models)):
            raise ValueError("the issuer may speak of nobody: give `sites`, `pools`, `links` or `models`")
        return self


class RevokedSpec(Choice):
    """One thing that the issuer said, or said of an artefact, and that counts no more."""

    what: ClassVar[str] = "an entry of `revoked`"

    jti: Line | None = None
    statement: Digest | None = None
    artefact: Digest | None = None


class AttestedSpec(Choice):
    """Whom an attestation result is about. A node is named with its pool: no name of a node tells whose it is."""

    what: ClassVar[str] = "a subject"

    site: Name | None = None
    pool: Name | None = None
    node: Node | None = None

    @property
    def kind(self) -> str:
        """The field that is given."""
        return next(name for name in type(self).model_fields if getattr(self, name))

    @property
    def name(self) -> str:
        """The subject's name."""
        return str(getattr(self, self.kind))

    @property
    def spoken_of(self) -> tuple[str, str]:
        """Kind and name of what an issuer has to be believed about: of a node its pool."""
        return ("pool", self.node.partition("/")[0]) if self.node else (self.kind, self.name)


class NonceSpec(Spec):
    """A nonce that attestation results about a subject have to carry, and since when anybody can know it."""

    subject: AttestedSpec
    nonce: Nonce
    issued_at: Instant


class IssuerSpec(Spec):
    """What a security team writes down."""

    iss: Line | None = None
    algorithms: list[Algorithm] = Field(default_factory=list)
    keys: list[KeySpec] = Field(default_factory=list)
    x509: X509Spec | None = None
    claims: ClaimsSpec
    audience: Line | None = None
    max_age: Annotated[DurationS, Field(ge=1)] | None = None
    revoked: list[RevokedSpec] = Field(default_factory=list)
    nonces: list[NonceSpec] = Field(default_factory=list)

    @model_validator(mode="after")
    def _for_its_subjects(self) -> Self:
        """A nonce for a subject that it may not speak of would refuse all and let nothing pass."""
        known = {("site", name) for name in self.claims.sites} | {("pool", name) for name in self.claims.pools}
        if any(each.subject.spoken_of not in known for each in self.nonces):
            raise ValueError("a nonce is for what the issuer may not speak of: add it to `claims`, if it may")
        if len({each.nonce for each in self.nonces}) < len(self.nonces):
            raise ValueError("a nonce stands twice: each is for one subject, and made anew")
        return self

    @model_validator(mode="after")
    def _verifiable(self) -> Self:
        if not self.keys and self.x509 is None:
            raise ValueError("nothing of the issuer can be verified: give `keys`, or `x509` with its roots")
        if bool(self.keys) != bool(self.algorithms):
            raise ValueError("`keys` and `algorithms` need each other: give both, or `x509` alone")
        return self

    @model_validator(mode="after")
    def _told_apart(self) -> Self:
        if len(self.keys) > 1 and any(key.kid is None for key in self.keys):
            raise ValueError("of several keys each needs its `kid`, which statements name")
        return self
