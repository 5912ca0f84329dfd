"""A record of evidence: an issuer's dated claim that a site or a pool meets a standard."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from policy.clauses import AFFIRMING, Tcb
from policy.data_flow import Datum
from policy.findings import Place

ARTEFACT: Final = "artefact"
"""The kind of a subject that is a digest, such as sha256:…: a file of a model."""
UNDATED: Final = datetime(1970, 1, 1, tzinfo=UTC)
FOREVER: Final = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
"""From when until when something holds of bytes that never change, where nobody says anything else."""


@dataclass(frozen=True, slots=True)
class Attestation:
    """What a verifier affirmed of all parts of a subject, at `appraised_at` (UTC).

    `tees` are the trusted execution environments that any part names, `claims` the trustworthiness claims that every
    part affirms, `devices` the features that every device has, nothing where there is none. `tier` is that of the worst
    part, and `tcbs` tell how up to date each environment is. What it says was said since `nonce_at` (UTC), where it
    carries a nonce that was given out for it then.
    """

    verifier: str
    tees: tuple[str, ...]
    claims: tuple[str, ...]
    devices: tuple[str, ...]
    appraised_at: datetime
    tier: str = AFFIRMING
    tcbs: tuple[Tcb, ...] = ()
    nonce_at: datetime | None = None

    @property
    def answers(self) -> bool:
        """Whether it carries such a nonce."""
        return self.nonce_at is not None


@dataclass(frozen=True, slots=True)
class Evidence:
    """A claim about a subject, true from `issued_at` until `expires_at` (the end excluded); both in UTC.

    `subject_kind` is "site", "pool", "link", "node" or "artefact", and a node is called POOL/NODE; `version` is the
    standard's, by number, so that (4, 0) is below (4, 0, 1).
    `digest` is the SHA-256 in hex of what was signed, empty where nobody did. An attestation result has its
    contents in `attestation`, and answers no question for certifications. `removes` is the data that the output of an
    artefact does not carry on, in the order of kind and word.
    """

    id: str
    subject_kind: str
    subject: str
    standard: str
    version: tuple[int, ...]
    issuer: str
    issued_at: datetime
    expires_at: datetime
    place: Place
    digest: str = ""
    attestation: Attestation | None = None
    removes: tuple[Datum, ...] = ()
