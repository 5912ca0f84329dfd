"""Clauses that somebody has to vouch for: of nodes, of models, of links."""

from dataclasses import dataclass
from typing import Final

from policy.clauses.standards import Standard
from policy.findings import Place

ATTESTATION: Final = "attestation"
"""The standard that an Issuer must be allowed for its attestation results to count."""


SLSA: Final = "slsa"
"""The standard of statements on how an artefact was built; its version is the level of SLSA's build track."""


SVID: Final = "x509-svid"
"""The standard of certificates that name a site or a pool in a SPIFFE trust domain."""


MODEL_SIGNATURE: Final = "model-signature"
"""The standard of signatures over the files of a model."""


DATA_REMOVAL: Final = "data-removal"
"""The standard of statements that a model's output does not carry on certain data of its input."""


@dataclass(frozen=True, slots=True)
class LinkEvidenceClause:
    """Of every hop there must be evidence that it is protected in one of these ways, such as `mtls`."""

    standards: tuple[str, ...]
    place: Place

    def __str__(self) -> str:
        return f"evidence of {' or '.join(self.standards)}"


@dataclass(frozen=True, slots=True)
class AttestationClause:
    """A verifier must have affirmed the nodes, no longer than `max_age_s` ago (0 for any age).

    Their trusted execution environments are all among `tees`, and there is one (for () there need not be any); every
    part affirms `claims`, and every device has `devices`. The verifier is one of `verifiers`, the names of Issuers (any
    for ()).
    """

    tees: tuple[str, ...]
    claims: tuple[str, ...]
    devices: tuple[str, ...]
    verifiers: tuple[str, ...]
    max_age_s: int
    place: Place

    def met_by(self, verifier: str, tees: tuple[str, ...], claims: tuple[str, ...], devices: tuple[str, ...]) -> bool:
        """Whether such a result is meant, whatever its age."""
        return (
            (not self.verifiers or verifier in self.verifiers)
            and (not self.tees or (bool(tees) and set(tees) <= set(self.tees)))
            and set(self.claims) <= set(claims)
            and set(self.devices) <= set(devices)
        )

    def is_within(self, other: "AttestationClause") -> bool:
        """Whether every result that this one means is meant by the other one."""
        return (
            _is_among(self.tees, other.tees)
            and _is_among(self.verifiers, other.verifiers)
            and set(other.claims) <= set(self.claims)
            and set(other.devices) <= set(self.devices)
            and (not other.max_age_s or 0 < self.max_age_s <= other.max_age_s)
        )

    def __str__(self) -> str:
        asked = [" or ".join(self.tees), *self.claims, *self.devices]
        return f"attestation ({', '.join(each for each in asked if each)})" if any(asked) else "attestation"


def _is_among(words: tuple[str, ...], allowed: tuple[str, ...]) -> bool:
    """Whether all that the words mean is allowed; none of them mean anything."""
    return not allowed or (bool(words) and set(words) <= set(allowed))


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
        return _is_among(self.signers, other.signers) and self.standard.is_within(other.standard)

    def __str__(self) -> str:
        return f"{self.standard} of {' or '.join(self.signers)}" if self.signers else str(self.standard)
