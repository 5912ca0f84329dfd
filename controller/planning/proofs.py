"""Evidence as rules see it: spans of whole seconds, of sites and pools and of artefacts."""

from collections.abc import Iterable
from datetime import datetime

from collectors.evidence.records import ARTEFACT, Evidence
from policy.resolved import Policy
from rules.kernel.evidence import Attested, Held, Vouched


def certifications(evidence: Iterable[Evidence]) -> tuple[Held, ...]:
    """What sites and pools hold, in seconds; a span starts late and ends early where a second is split."""
    return tuple(
        Held(
            e.subject_kind,
            e.subject,
            e.standard,
            e.version,
            _first_s(e.issued_at),
            int(e.expires_at.timestamp()),
        )
        for e in evidence
        if e.attestation is None and e.subject_kind != ARTEFACT
    )


def provenances(policy: Policy, evidence: Iterable[Evidence]) -> tuple[Vouched, ...]:
    """What signers say of artefacts, in seconds."""
    names = {issuer.iss: issuer.name for issuer in policy.issuers}
    return tuple(
        Vouched(
            e.subject,
            names[e.issuer],
            e.standard,
            e.version,
            _first_s(e.issued_at),
            int(e.expires_at.timestamp()),
            e.removes,
        )
        for e in evidence
        if e.subject_kind == ARTEFACT and e.issuer in names
    )


def attestations(evidence: Iterable[Evidence]) -> tuple[Attested, ...]:
    """Attestation results, in seconds; none begins early, ends late or is younger than it is."""
    return tuple(
        Attested(
            e.subject_kind,
            e.subject,
            e.attestation.verifier,
            e.attestation.tees,
            e.attestation.claims,
            e.attestation.devices,
            int(e.attestation.appraised_at.timestamp()),
            _first_s(e.issued_at),
            int(e.expires_at.timestamp()),
            e.attestation.tier,
            e.attestation.tcbs,
            int(e.attestation.nonce_at.timestamp()) if e.attestation.nonce_at else None,
        )
        for e in evidence
        if e.attestation is not None
    )


def _first_s(at: datetime) -> int:
    """The first whole second from an instant on."""
    return -int(-at.timestamp() // 1)
