"""ComplianceProfile: what must hold wherever certain data is handled."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from policy.documents.base import DurationS, Name, Spec, VersionRange, Word
from policy.documents.pool import Bought
from policy.documents.selector import ServicesSpec

Tee = Literal["sev-snp", "tdx", "sgx", "cca", "csv", "se"]
"""Trusted execution environments: AMD, Intel (two), Arm, Hygon, IBM."""
TrustClaim = Literal[
    "configuration",
    "executables",
    "file-system",
    "hardware",
    "instance-identity",
    "runtime-opaque",
    "sourced-data",
    "storage-opaque",
]
"""The trustworthiness claims of AR4SI (draft-ietf-rats-ar4si, section 2.3)."""
DeviceFeature = Literal["secure-boot", "debug-disabled"]


class AppliesToSpec(ServicesSpec):
    """Which services the profile covers, and which of their stages; all of what is given has to fit."""

    stages: list[Name] = Field(default_factory=list)


class JurisdictionSpec(Spec):
    """Every site and hop lies within one of these."""

    within: list[Word] = Field(min_length=1)


class CertificationSpec(Spec):
    """A standard, and the versions of it that are meant (any when it is left out)."""

    standard: Name
    version: VersionRange = ()


class CertificationsSpec(Spec):
    """All of the first must be held, one of the second, and none of the third."""

    all_of: list[CertificationSpec] = Field(default_factory=list)
    any_of: list[CertificationSpec] = Field(default_factory=list)
    none_of: list[CertificationSpec] = Field(default_factory=list)

    @model_validator(mode="after")
    def _asks(self) -> Self:
        if not self.all_of and not self.any_of and not self.none_of:
            raise ValueError("no standard is named: give `allOf`, `anyOf` or `noneOf`")
        return self


class LinksSpec(Spec):
    """How well every hop must be protected."""

    encryption: Literal["none", "tls", "mtls"]


class LocalitySpec(Spec):
    """How far from where its requests come in a stage may run."""

    at: Literal["origin"]


class SeparationSpec(Spec):
    """Whose work never runs on the same nodes: all services that the profile does not cover, or some of them."""

    from_: ServicesSpec = Field(default=ServicesSpec(), alias="from")


class PurchaseSpec(Spec):
    """How the nodes may be bought."""

    among: list[Bought] = Field(min_length=1, examples=["[on-demand, owned]"])


class AttestationSpec(Spec):
    """What a verifier must have affirmed of the nodes, and how long ago at most."""

    tee: list[Tee] = Field(default_factory=list)
    claims: list[TrustClaim] = Field(default_factory=list)
    devices: list[DeviceFeature] = Field(default_factory=list)
    verifiers: list[Name] = Field(default_factory=list)
    max_age: Annotated[DurationS, Field(ge=1)] | None = None


class ProvenanceSpec(Spec):
    """How the artefact was built: the level of SLSA's build track, and whose word on it counts."""

    slsa: VersionRange
    verifiers: list[Name] = Field(default_factory=list)


class ModelsSpec(Spec):
    """What must be signed of the variants that see the data."""

    provenance: ProvenanceSpec | None = None
    signed_by: list[Name] = Field(default_factory=list)

    @model_validator(mode="after")
    def _asks(self) -> Self:
        if self.provenance is None and not self.signed_by:
            raise ValueError("nothing is asked of the models: give `provenance` or `signedBy`")
        return self


class ClausesSpec(Spec):
    """What must hold for what is covered; all of it together, and at least one clause."""

    jurisdiction: JurisdictionSpec | None = None
    certifications: CertificationsSpec | None = None
    links: LinksSpec | None = None
    purchase: PurchaseSpec | None = None
    attestation: AttestationSpec | None = None
    models: ModelsSpec | None = None
    locality: LocalitySpec | None = None
    separation: SeparationSpec | None = None

    @model_validator(mode="after")
    def _asks(self) -> Self:
        clauses = list(ClausesSpec.model_fields)
        if not any(getattr(self, name) for name in clauses):
            *others, last = (f"`{name}`" for name in clauses)
            raise ValueError(f"nothing is asked for: give {', '.join(others)} or {last}")
        return self


class CoverageSpec(Spec):
    """Whom clauses are meant for."""

    applies_to: AppliesToSpec = AppliesToSpec()


class ComplianceProfileSpec(ClausesSpec, CoverageSpec):
    """What a compliance officer writes down."""
