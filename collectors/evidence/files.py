"""Evidence from files: one YAML document a claim. What cannot be read gives no evidence, and so no permission."""

from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Self

from pydantic import model_validator

from collectors.evidence.records import Evidence
from collectors.snapshot import Snapshot
from policy.catalogue import error
from policy.documents.base import Instant, Line, Name, Spec, Version, one_of
from policy.findings import Finding, Level
from policy.folder import read_texts
from policy.parse import parse
from policy.source import in_order
from policy.validate import Valid, validate


class SubjectSpec(Spec):
    """What the claim is about: exactly one of the two."""

    site: Name | None = None
    pool: Name | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        one_of(self, "a subject")
        return self


class ClaimSpec(Spec):
    """A standard, in one version of it."""

    standard: Name
    version: Version


class EvidenceSpec(Spec):
    """Who claims what about whom, from when to when."""

    subject: SubjectSpec
    claim: ClaimSpec
    issuer: Line
    issued_at: Instant
    expires_at: Instant


def read_evidence(folder: Path) -> tuple[tuple[Evidence, ...], tuple[Finding, ...]]:
    """The claims of every file under a folder, and what is wrong with the files.

    No folder means no evidence. A file with an error in it gives none, and neither do claims of the same name.
    """
    texts, findings = read_texts(folder) if folder.is_dir() else ([], [])
    found: list[Evidence] = []
    for name, text in texts:
        claims, wrong = _claims(f"{folder.name}/{name}", text)
        findings += wrong
        found += [] if any(finding.level is Level.ERROR for finding in wrong) else claims
    doubled = {name for name, count in Counter(claim.id for claim in found).items() if count > 1}
    for claim in found:
        if claim.id in doubled:
            message = f"there is more than one piece of evidence named `{claim.id}`, so none of them counts"
            findings.append(error("GW0402", claim.place, message, "give each its own name"))
    return tuple(claim for claim in found if claim.id not in doubled), in_order(findings)


def _claims(name: str, text: str) -> tuple[list[Evidence], list[Finding]]:
    """The claims in one file, and what is wrong with it."""
    parsed = parse(name, text)
    findings = list(parsed.findings)
    claims: list[Evidence] = []
    for document in parsed.documents:
        valid, wrong = validate(document, {"Evidence": EvidenceSpec})
        findings += wrong
        if valid and isinstance(valid.spec, EvidenceSpec):
            claims += _record(valid, valid.spec, findings)
    return claims, findings


def _record(valid: Valid, spec: EvidenceSpec, findings: list[Finding]) -> list[Evidence]:
    if spec.expires_at <= spec.issued_at:
        place, message = valid.place("expiresAt"), "the evidence ends before it begins"
        findings.append(error("GW0401", place, message, "let `expiresAt` be after `issuedAt`"))
        return []
    kind = "site" if spec.subject.site else "pool"
    return [
        Evidence(
            id=valid.name,
            subject_kind=kind,
            subject=spec.subject.site or spec.subject.pool or "",
            standard=spec.claim.standard,
            version=spec.claim.version,
            issuer=spec.issuer,
            issued_at=spec.issued_at,
            expires_at=spec.expires_at,
            place=valid.place(),
        )
    ]


class EvidenceFiles:
    """The collector of a folder of evidence files, read anew each time."""

    name = "evidence"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def collect(self, now: datetime) -> Snapshot:
        """All claims, whether or not they hold now: the rules look at their dates."""
        evidence, findings = read_evidence(self._folder)
        return Snapshot(now, evidence=evidence, findings=findings)
