"""ComplianceProfile: what must hold wherever certain data is handled."""

from typing import Literal, Self

from pydantic import Field, model_validator

from policy.documents.base import MinimumVersion, Name, Spec, Word


class DataSelectorSpec(Spec):
    """Data of one of these classes, or about one of these subjects."""

    classes: list[Word] = Field(default_factory=list)
    subjects: list[Word] = Field(default_factory=list)


class AppliesToSpec(Spec):
    """Which services the profile covers."""

    data: DataSelectorSpec = DataSelectorSpec()


class JurisdictionSpec(Spec):
    """Every site and hop lies within one of these."""

    within: list[Word] = Field(min_length=1)


class CertificationSpec(Spec):
    """A standard, and the least version of it (any when it is left out)."""

    standard: Name
    version: MinimumVersion = ()


class CertificationsSpec(Spec):
    """All of these must be held."""

    all_of: list[CertificationSpec] = Field(min_length=1)


class LinksSpec(Spec):
    """How well every hop must be protected."""

    encryption: Literal["none", "tls", "mtls"]


class ComplianceProfileSpec(Spec):
    """What a compliance officer writes down."""

    applies_to: AppliesToSpec = AppliesToSpec()
    jurisdiction: JurisdictionSpec | None = None
    certifications: CertificationsSpec | None = None
    links: LinksSpec | None = None

    @model_validator(mode="after")
    def _asks(self) -> Self:
        if self.jurisdiction is None and self.certifications is None and self.links is None:
            raise ValueError("the profile asks for nothing: give `jurisdiction`, `certifications` or `links`")
        return self
