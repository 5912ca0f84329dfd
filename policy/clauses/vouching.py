"""Clauses that somebody has to vouch for: of models, of links."""

from dataclasses import dataclass
from typing import Final

from policy.clauses.attestation import AFFIRMING, Appraised, is_among
from policy.clauses.standards import Standard
from policy.findings import Place

_SHOWN: Final = len("sha256:") + 8
_MOST_NAMED: Final = 3
SLSA: Final = "slsa"
"""The standard of statements on how an artefact was built; its version is the level of SLSA's build track."""


SVID: Final = "x509-svid"
"""The standard of certificates that name a site or a pool in a SPIFFE trust domain."""


MODEL_SIGNATURE: Final = "model-signature"
"""The standard of signatures over the files of a model."""


DATA_REMOVAL: Final = "data-removal"
"""The standard of statements that a model's output does not carry on certain data of its input."""


ENCRYPTED_AT_REST: Final = "encryption-at-rest"
"""The standard of statements that a site or a pool encrypts what it stores."""
OPAQUE_STORAGE: Final = "storage-opaque"
"""The trustworthiness claim that what is stored is kept from whoever owns the machine (AR4SI, section 2.3.4)."""


@dataclass(frozen=True, slots=True)
class StorageClause:
    """A pool must be certified for `standard`, or a verifier must affirm `claim` of all parts of its nodes."""

    place: Place
    standard: str = ENCRYPTED_AT_REST
    claim: str = OPAQUE_STORAGE

    def affirmed_by(self, result: Appraised) -> bool:
        """Whether a verifier affirms it of all parts; a result that warns of any affirms nothing here."""
        return result.tier == AFFIRMING and self.claim in result.claims

    def __str__(self) -> str:
        return "encryption at rest"


@dataclass(frozen=True, slots=True)
class PinnedClause:
    """The artefact of a variant must have one of these digests, written sha256:…."""

    digests: tuple[str, ...]
    place: Place

    def __str__(self) -> str:
        named = [f"{each[:_SHOWN]}…" for each in self.digests[:_MOST_NAMED]]
        more = len(self.digests) - len(named)
        return f"pinned as {' or '.join(named)}" + (f" or {more} more" if more else "")


@dataclass(frozen=True, slots=True)
class LinkEvidenceClause:
    """Of every hop there must be evidence that it is protected in one of these ways, such as `mtls`."""

    standards: tuple[str, ...]
    place: Place

    def __str__(self) -> str:
        return f"evidence of {' or '.join(self.standards)}"


@dataclass(frozen=True, slots=True)
class ProvenanceClause:
    """The artefact of a variant must be vouched for by one of `signers`, which are names of Issuers (any for ())."""

    standard: Standard
    signers: tuple[str, ...]
    place: Place

    def met_by(self, signer: str, name: str, version: tuple[int, ...]) -> bool:
        """Whether what a signer says is meant."""
        return (not self.signers or signer in self.signers) and self.standard.met_by(name, version)

    def is_within(self, other: "ProvenanceClause") -> bool:
        """Whether whatever this one means is meant by the other one."""
        return is_among(self.signers, other.signers) and self.standard.is_within(other.standard)

    def __str__(self) -> str:
        return f"{self.standard} of {' or '.join(self.signers)}" if self.signers else str(self.standard)
