"""What evidence says: the parts that unsigned documents and signed statements have in common, and the documents."""

from dataclasses import replace
from typing import Final, Self

from pydantic import model_validator

from collectors.evidence.records import Evidence
from policy.catalogue import error
from policy.documents.base import Instant, Line, Name, Spec, Version, one_of
from policy.findings import Finding
from policy.parse import parse
from policy.validate import OURS, Valid, validate


class SubjectSpec(Spec):
    """What the claim is about: exactly one of the three."""

    site: Name | None = None
    pool: Name | None = None
    link: Name | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        one_of(self, "a subject")
        return self

    @property
    def kind(self) -> str:
        """The field that is given."""
        return next(name for name in type(self).model_fields if getattr(self, name))

    @property
    def name(self) -> str:
        """The subject's name."""
        return str(getattr(self, self.kind))


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


EVIDENCE: Final = replace(OURS, kinds={"Evidence": EvidenceSpec})


def claims_in(name: str, text: str) -> tuple[list[Evidence], list[Finding]]:
    """The claims of the documents in one file, and what is wrong with it."""
    parsed = parse(name, text)
    findings = list(parsed.findings)
    claims: list[Evidence] = []
    for document in parsed.documents:
        valid, wrong = validate(document, EVIDENCE)
        findings += wrong
        if valid and isinstance(valid.spec, EvidenceSpec):
            claims += _record(valid, valid.spec, findings)
    return claims, findings


def _record(valid: Valid, spec: EvidenceSpec, findings: list[Finding]) -> list[Evidence]:
    if spec.expires_at <= spec.issued_at:
        place, message = valid.place("expiresAt"), "the evidence ends before it begins"
        findings.append(error("GW0401", place, message, "let `expiresAt` be after `issuedAt`"))
        return []
    return [
        Evidence(
            id=valid.name,
            subject_kind=spec.subject.kind,
            subject=spec.subject.name,
            standard=spec.claim.standard,
            version=spec.claim.version,
            issuer=spec.issuer,
            issued_at=spec.issued_at,
            expires_at=spec.expires_at,
            place=valid.place(),
        )
    ]
