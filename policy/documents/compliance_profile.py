"""ComplianceProfile: what must hold wherever certain data is handled."""

from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from policy.documents.base import DurationS, Name, Spec, VersionRange, Word
from policy.documents.model import Digest
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
DeviceFeature = Literal["secure-boot", "debug-disabled", "confidential-computing"]
Tier = Literal["affirming", "warning"]
"""The tiers of AR4SI (section 2.3.2) at which a result may count."""
TcbStatus = Literal[
    "UpToDate",
    "SWHardeningNeeded",
    "ConfigurationNeeded",
    "ConfigurationAndSWHardeningNeeded",
    "OutOfDate",
    "OutOfDateConfigurationNeeded",
    "TDRelaunchAdvised",
    "TDRelaunchAdvisedConfigurationNeeded",
]
"""What Intel says of the trusted computing base of a platform, in Intel's words."""
_INTEL: Final = ("tdx", "sgx")
_AMD: Final = ("sev-snp",)


SecurityVersion = Annotated[int, Field(ge=0, le=255)]


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
    """How well every hop must be protected, and whether somebody must vouch for it."""

    encryption: Literal["none", "tls", "mtls"]
    evidence: bool = False

    @model_validator(mode="after")
    def _something_to_prove(self) -> Self:
        if self.evidence and self.encryption == "none":
            raise ValueError("there is no evidence of no encryption: ask for tls or mtls, or leave `evidence` out")
        return self


class LocalitySpec(Spec):
    """How far from where its requests come in a stage may run."""

    at: Literal["origin"]


class SeparationSpec(Spec):
    """Whose work never runs on the same nodes: all services that the profile does not cover, or some of them."""

    from_: ServicesSpec = Field(default=ServicesSpec(), alias="from")


class PurchaseSpec(Spec):
    """How the nodes may be bought."""

    among: list[Bought] = Field(min_length=1, examples=["[on-demand, owned]"])


class TcbVersionsSpec(Spec):
    """The least security versions that AMD's processors report, by component."""

    bootloader: SecurityVersion | None = None
    tee: SecurityVersion | None = None
    snp: SecurityVersion | None = None
    microcode: SecurityVersion | None = None


class TcbSpec(Spec):
    """How up to date each trusted execution environment must be: by Intel's words, by AMD's numbers."""

    status: list[TcbStatus] = Field(default_factory=list)
    at_least: TcbVersionsSpec = TcbVersionsSpec()

    @model_validator(mode="after")
    def _asks(self) -> Self:
        if not self.status and not self.at_least.model_dump(exclude_none=True):
            raise ValueError("nothing is asked of the TCB: give `status`, or versions in `atLeast`")
        return self


class AttestationSpec(Spec):
    """What a verifier must have affirmed of the nodes, and how long ago at most."""

    min_tier: Tier = "affirming"
    tee: list[Tee] = Field(default_factory=list)
    claims: list[TrustClaim] = Field(default_factory=list)
    devices: list[DeviceFeature] = Field(default_factory=list)
    verifiers: list[Name] = Field(default_factory=list)
    max_age: Annotated[DurationS, Field(ge=1)] | None = None
    tcb: TcbSpec | None = None
    nonce: bool = False

    @model_validator(mode="after")
    def _tells(self) -> Self:
        """One of the environments has to tell what is asked of its TCB, or nothing would ever do."""
        asks_words = self.tcb is not None and self.tcb.status
        asks_numbers = self.tcb is not None and self.tcb.at_least.model_dump(exclude_none=True)
        tell = {*(_INTEL if asks_words else ()), *(_AMD if asks_numbers else ())}
        if self.tcb and self.tee and tell.isdisjoint(self.tee):
            raise ValueError("no `tee` tells what `tcb` asks: `status` is of tdx and sgx, `atLeast` of sev-snp")
        return self


class AuditSpec(Spec):
    """How long what was decided can be looked up."""

    keep: Annotated[DurationS, Field(ge=1)]


class StorageSpec(Spec):
    """How what nodes store must be protected."""

    encryption: Literal["at-rest"]


class PayloadsSpec(Spec):
    """How payloads may be changed on their way: packed without loss, or not at all."""

    fidelity: Literal["lossless", "verbatim"]


class ProvenanceSpec(Spec):
    """How the artefact was built: the level of SLSA's build track, and whose word on it counts."""

    slsa: VersionRange
    verifiers: list[Name] = Field(default_factory=list)


class ModelsSpec(Spec):
    """What must be signed of the variants that see the data."""

    provenance: ProvenanceSpec | None = None
    signed_by: list[Name] = Field(default_factory=list)
    digests: list[Digest] = Field(default_factory=list)

    @model_validator(mode="after")
    def _asks(self) -> Self:
        if self.provenance is None and not self.signed_by and not self.digests:
            raise ValueError("nothing is asked of the models: give `provenance`, `signedBy` or `digests`")
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
    storage: StorageSpec | None = None
    audit: AuditSpec | None = None
    payloads: PayloadsSpec | None = None

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
