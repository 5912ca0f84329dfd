"""Whose signed statements count, and for what."""

from dataclasses import dataclass
from datetime import datetime

from policy.findings import Place


@dataclass(frozen=True, slots=True)
class IssuerKey:
    """A public key; `jwk` are the members of its JWK. `kid` may be empty where it is the only one."""

    kid: str
    jwk: tuple[tuple[str, str], ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Authority:
    """The roots of a SPIFFE trust domain, in PEM.

    Where `needs_crl`, a certificate counts only while a list of revoked ones that covers it is up to date.
    """

    trust_domain: str
    roots: tuple[str, ...]
    needs_crl: bool
    place: Place


@dataclass(frozen=True, slots=True)
class Revoked:
    """What counts no more: a statement by its `jti` or by its digest, or any of the artefact with a digest.

    `kind` is "jti", "statement" or "artefact"; digests are written sha256:….
    """

    kind: str
    name: str
    place: Place


@dataclass(frozen=True, slots=True)
class Nonce:
    """What attestation results about a subject carry; nobody knew it before `issued_at`.

    `subject_kind` is "site", "pool" or "node"; a node is called POOL/NODE.
    """

    subject_kind: str
    subject: str
    nonce: str
    issued_at: datetime


@dataclass(frozen=True, slots=True)
class Issuer:
    """Whose signed statements count, and for what.

    `iss` is what statements call the issuer. It is believed of `standards` alone, held by `sites`, `pools`,
    `links` and the variants of `models` alone, whose artefacts have `digests`.
    Without an `audience` statements have none; statements older than `max_age_s` do not count (0 for any age).
    """

    name: str
    iss: str
    algorithms: tuple[str, ...]
    keys: tuple[IssuerKey, ...]
    standards: tuple[str, ...]
    sites: tuple[str, ...]
    pools: tuple[str, ...]
    audience: str
    max_age_s: int
    place: Place
    models: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    revoked: tuple[Revoked, ...] = ()
    authority: Authority | None = None
    links: tuple[str, ...] = ()
    nonces: tuple[Nonce, ...] = ()

    def may_speak_of(self, kind: str) -> tuple[str, ...]:
        """The subjects of a kind, "site", "pool" or "link", that it is believed about; KeyError for another."""
        return {"site": self.sites, "pool": self.pools, "link": self.links}[kind]
