"""Compliance profiles with clauses of every kind, drawn at random."""

from typing import Final

from hypothesis import strategies as st

from policy.clauses import (
    AFFIRMING,
    WARNING,
    AttestationClause,
    CertificationClause,
    Comparison,
    ComplianceProfile,
    ForbiddenClause,
    LinkEvidenceClause,
    LinkSecurityClause,
    LocalityClause,
    PayloadClause,
    PinnedClause,
    ProvenanceClause,
    PurchaseClause,
    ResidencyClause,
    Scope,
    SeparationClause,
    Standard,
    StorageClause,
    TcbClause,
    VersionBound,
)
from policy.resolved import (
    Encryption,
    Fidelity,
    Purchase,
)
from tests.rules.build import at

HERE: Final = at(90)
VERSIONS: Final = st.sampled_from([(2,), (4,), (4, 0, 1), (5,)])
BOUNDS: Final = st.builds(VersionBound, st.sampled_from(Comparison), VERSIONS)
STANDARDS: Final = st.builds(
    Standard,
    st.sampled_from(["pci-dss", "iso-27001", "exposed"]),
    st.lists(BOUNDS, max_size=1).map(tuple),
)
WITHIN: Final = st.lists(st.sampled_from(["FR", "EU", "US"]), min_size=1, unique=True).map(tuple)
AMONG: Final = st.lists(st.sampled_from(Purchase), min_size=1, unique=True).map(tuple)
ATTESTATIONS: Final = st.builds(
    AttestationClause,
    st.sampled_from([(), ("sev-snp",), ("sev-snp", "tdx")]),
    st.sampled_from([(), ("hardware",), ("hardware", "executables")]),
    st.sampled_from([(), ("secure-boot",)]),
    st.sampled_from([(), ("trustee",), ("veraison",)]),
    st.sampled_from([0, 500, 5000]),
    st.just(HERE),
    st.sampled_from([AFFIRMING, WARNING]),
    st.sampled_from(
        [
            None,
            TcbClause(("UpToDate",), ()),
            TcbClause(("UpToDate", "OutOfDate"), (("snp", 23),)),
            TcbClause((), (("snp", 24), ("tee", 1))),
        ]
    ),
    st.booleans(),
)
SIGNED: Final = st.builds(
    Standard,
    st.sampled_from(["slsa", "model-signature"]),
    st.lists(st.builds(VersionBound, st.sampled_from(Comparison), st.sampled_from([(2,), (3,), (4,)])), max_size=1).map(
        tuple
    ),
)
SCOPES: Final = st.sampled_from(
    [
        Scope(),
        Scope(classes=("card",)),
        Scope(services=("ocr",)),
        Scope(stages=("read",)),
        Scope(teams=("payments",)),
    ]
)
FULL: Final = "sha256:f0f0f0f0f0"
NEXT: Final = "sha256:beadbeadbe"
PROFILES: Final = st.builds(
    ComplianceProfile,
    st.just("more"),
    SCOPES,
    st.lists(
        st.builds(CertificationClause, st.lists(STANDARDS, min_size=1, max_size=2).map(tuple), st.just(HERE)),
        max_size=1,
    ).map(tuple),
    st.lists(st.builds(ForbiddenClause, STANDARDS, st.just(HERE)), max_size=1).map(tuple),
    st.none() | st.builds(ResidencyClause, WITHIN, st.just(HERE)),
    st.none() | st.builds(LinkSecurityClause, st.sampled_from(Encryption), st.just(HERE)),
    st.none() | st.builds(PurchaseClause, AMONG, st.just(HERE)),
    st.just(HERE),
    locality=st.none() | st.just(LocalityClause(HERE)),
    separation=st.none() | st.builds(SeparationClause, SCOPES, st.just(HERE)),
    attestation=st.none() | ATTESTATIONS,
    provenance=st.lists(
        st.builds(ProvenanceClause, SIGNED, st.sampled_from([(), ("releases",), ("nobody",)]), st.just(HERE)),
        max_size=1,
    ).map(tuple),
    link_evidence=st.none()
    | st.builds(LinkEvidenceClause, st.sampled_from([("mtls",), ("tls", "mtls")]), st.just(HERE)),
    storage=st.none() | st.just(StorageClause(HERE)),
    payloads=st.none() | st.builds(PayloadClause, st.sampled_from(Fidelity), st.just(HERE)),
    pinned=st.none() | st.builds(PinnedClause, st.sampled_from([(FULL,), (NEXT,), (NEXT, FULL)]), st.just(HERE)),
)
