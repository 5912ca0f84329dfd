"""What an attestation result proves, and of whom: read from the folder of evidence, as the loop does."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from signing import AT, NOW, YAML, ec_pair, issuer_of, signed

from collectors.evidence.devices import DISABLED, features_of
from collectors.evidence.files import read_evidence
from collectors.evidence.records import Attestation, Evidence
from policy.clauses import AFFIRMING, WARNING, AttestationClause, Tcb
from policy.findings import Finding, Level
from policy.resolved import Issuer

PAIR = ec_pair()
ANNOTATED = "ear.veraison.annotated-evidence"
CARD = {"hwmodel": "GH100 A01 GSP BROM", "secboot": True, "dbgstat": "disabled"}


def verifier(**changed: Any) -> Issuer:
    given = {"name": "trustee", "iss": "lab", "standards": ("attestation",), "max_age_s": 0, "sites": ()}
    return issuer_of(PAIR, **{**given, **changed})


def part(evidence: dict[str, Any] | None = None, **claims: int) -> dict[str, Any]:
    vector = {name.replace("_", "-"): value for name, value in (claims or {"hardware": 2}).items()}
    found: dict[str, Any] = {"ear.status": "affirming", "ear.trustworthiness-vector": vector}
    return found if evidence is None else {**found, ANNOTATED: evidence}


def result(submods: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "eat_profile": "tag:github.com,2024:confidential-containers/Trustee",
        "iss": "lab",
        "iat": AT - 600,
        "exp": AT + 600,
        "ear.verifier-id": {"developer": "https://confidentialcontainers.org", "build": "1"},
        "submods": submods,
        **more,
    }


def read(
    tmp_path: Path, claims: dict[str, Any], issuer: Issuer | None = None
) -> tuple[tuple[Evidence, ...], tuple[Finding, ...]]:
    (folder := tmp_path / "evidence").mkdir()
    (folder / "node.jwt").write_text(signed(PAIR, claims))
    return read_evidence(folder, (issuer or verifier(),), NOW)


def proved(tmp_path: Path, submods: dict[str, Any]) -> Attestation:
    (item,), findings = read(tmp_path, result(submods))
    assert findings == ()
    assert item.attestation is not None
    return item.attestation


def refusal(tmp_path: Path, claims: dict[str, Any], issuer: Issuer | None = None) -> str:
    evidence, (finding,) = read(tmp_path, claims, issuer)
    assert evidence == ()
    return f"{finding.id} {finding.message}"


def test_a_result_is_of_the_pool_that_its_verifier_names(tmp_path: Path) -> None:
    claims = result({"cpu0": part({"snp": {}})}, subject={"pool": "paris-module"}, nbf=AT - 300)
    (item,), findings = read(tmp_path, claims, verifier(sites=("edge-paris",)))
    assert findings == ()
    assert (item.subject_kind, item.subject, item.standard) == ("pool", "paris-module", "attestation")
    assert (item.issuer, item.id) == ("lab", f"trustee/{item.digest[:16]}")
    assert (item.issued_at, item.expires_at) == (NOW - timedelta(minutes=5), NOW + timedelta(minutes=10))
    assert item.attestation == Attestation(
        "trustee", ("sev-snp",), ("hardware",), (), NOW - timedelta(minutes=10), tcbs=(Tcb(),)
    )


def test_a_result_that_begins_later_is_kept_and_appraised_when_it_was(tmp_path: Path) -> None:
    claims = result({"cpu0": part()}, subject={"pool": "paris-module"}, nbf=AT + 300)
    (item,), (finding,) = read(tmp_path, claims)
    assert (item.issued_at, finding.id) == (NOW + timedelta(minutes=5), "GW0409")
    assert item.attestation is not None
    assert item.attestation.appraised_at == NOW - timedelta(minutes=10)


def test_a_result_may_be_of_one_node_of_a_pool(tmp_path: Path) -> None:
    (item,), _ = read(tmp_path, result({"cpu0": part()}, subject={"node": "paris-module/gpu-17.paris.example"}))
    assert (item.subject_kind, item.subject) == ("node", "paris-module/gpu-17.paris.example")


def test_a_result_that_names_nobody_is_of_the_only_one_that_its_verifier_may_speak_of(tmp_path: Path) -> None:
    (item,), _ = read(tmp_path, result({"cpu0": part()}))
    assert (item.subject_kind, item.subject) == ("pool", "paris-module")


@pytest.mark.parametrize("pools", [(), ("paris-module", "lyon-module")])
def test_where_there_is_not_exactly_one_it_permits_nothing(tmp_path: Path, pools: tuple[str, ...]) -> None:
    assert refusal(tmp_path, result({"cpu0": part()}), verifier(pools=pools)).startswith("GW0419")


@pytest.mark.parametrize(
    ("subject", "start"),
    [
        ({"pool": "lyon-module"}, "GW0413 `trustee` may not speak of the pool `lyon-module`"),
        ({"site": "edge-paris"}, "GW0413 `trustee` may not speak of the site `edge-paris`"),
        ({}, "GW0416"),
        (None, "GW0416"),
        ("paris-module", "GW0416"),
        (
            {"pool": "paris-module", "site": "edge-paris"},
            "GW0416 the statement is malformed: `subject` is not one site",
        ),
        ({"pool": ["paris-module"]}, "GW0416"),
        ({"node": "lyon-module/paris-module-0"}, "GW0413 `trustee` may not speak of the pool `lyon-module`"),
        ({"node": "paris-module-0"}, "GW0416"),
        ({"node": "paris-module/"}, "GW0416"),
        ({"node": "/paris-module-0"}, "GW0416"),
        ({"node": "paris-module/lyon-module/0"}, "GW0416"),
        ({"node": "paris-module/gpu-17", "pool": "paris-module"}, "GW0416"),
    ],
)
def test_a_subject_that_is_none_or_not_the_verifiers_refuses_the_result(
    tmp_path: Path, subject: Any, start: str
) -> None:
    assert refusal(tmp_path, result({"cpu0": part()}, subject=subject)).startswith(start)


@pytest.mark.parametrize(
    ("evidence", "tees"),
    [
        ({"snp": {}}, ("sev-snp",)),
        ({"az-snp-vtpm": {}}, ("sev-snp",)),
        ({"tdx": {}, "report_data": "AA"}, ("tdx",)),
        ({"az-tdx-vtpm": {}, "sgx": {}}, ("sgx", "tdx")),
        ({"cca": {}}, ("cca",)),
        ({"sample": {}}, ("`sample`",)),
        ({"snp": {}, "sample": {"debug": True}}, ("`sample`", "sev-snp")),
        ({"sev-snp": {}}, ("`sev-snp`",)),
        ({"SNP": {}}, ("`SNP`",)),
        ({"snp": {}, "init_data_claims": {}, "runtime_data_claims": {"nonce": "AA"}}, ("sev-snp",)),
        ({"\ud800\n": {}}, ("`??`",)),
        ({"nvidia": {}}, ()),
        ({}, ()),
        (None, ()),
    ],
)
def test_environments_are_those_that_the_evidence_is_of(
    tmp_path: Path, evidence: dict[str, Any] | None, tees: tuple[str, ...]
) -> None:
    assert proved(tmp_path, {"cpu0": part(evidence)}).tees == tees


def test_a_part_within_a_part_refuses_the_result(tmp_path: Path) -> None:
    worse = {"ear.status": "contraindicated", "ear.trustworthiness-vector": {"hardware": 96}}
    for number, inner in enumerate(({"gpu0": worse}, {}, None)):
        (folder := tmp_path / str(number)).mkdir()
        assert refusal(folder, result({"cpu0": {**part(), "submods": inner}})) == (
            "GW0416 the statement is malformed: `cpu0` has `submods` of its own, and no part may"
        )


def test_an_environment_that_is_not_known_does_not_hide_behind_one_that_is(tmp_path: Path) -> None:
    clause = AttestationClause(("sev-snp",), (), (), (), 0, YAML)
    alone = proved(tmp_path, {"cpu0": part({"snp": {}})})
    (other := tmp_path / "other").mkdir()
    beside = proved(other, {"cpu0": part({"snp": {}}), "cpu1": part({"sample": {"debug": True}})})
    assert [clause.met_by(each) for each in (alone, beside)] == [
        True,
        False,
    ]


def test_only_what_every_part_affirms_by_itself_is_affirmed(tmp_path: Path) -> None:
    submods = {"cpu0": part(hardware=2, executables=-2, configuration=0), "gpu0": part(hardware=31, configuration=2)}
    assert proved(tmp_path, submods).claims == ("hardware",)


def test_devices_have_what_all_of_them_have(tmp_path: Path) -> None:
    cpu = part({"snp": {}})
    assert proved(tmp_path, {"cpu0": cpu, "gpu0": part({"nvidia": CARD})}).devices == ("debug-disabled", "secure-boot")


@pytest.mark.parametrize(
    "other",
    [part(), part({"nvidia": {}}), part({"nvidia": {"secboot": True, "dbgstat": "disabled"}}), part({"sample": {}})],
    ids=["nothing said", "no claims", "no model", "not known"],
)
def test_a_card_of_which_the_verifier_is_silent_has_nothing(tmp_path: Path, other: dict[str, Any]) -> None:
    submods = {"cpu0": part({"snp": {}}), "gpu0": part({"nvidia": CARD}), "gpu1": other}
    assert proved(tmp_path, submods).devices == ()


def test_without_a_device_there_is_no_feature(tmp_path: Path) -> None:
    assert proved(tmp_path, {"cpu0": part({"snp": {}})}).devices == ()


def test_a_device_is_confidential_where_its_own_part_affirms_that_its_memory_is_opaque(tmp_path: Path) -> None:
    cpu = part({"snp": {}})
    opaque = part({"nvidia": CARD}, hardware=2, runtime_opaque=2)
    (tmp_path / "bare").mkdir()
    assert proved(tmp_path, {"cpu0": cpu, "gpu0": opaque}).devices == (
        "confidential-computing",
        "debug-disabled",
        "secure-boot",
    )
    bare = part({"nvidia": {**CARD, "x-nvidia-gpu-cc-mode": "ON"}})
    assert "confidential-computing" not in proved(tmp_path / "bare", {"gpu0": opaque, "gpu1": bare}).devices


def test_a_result_that_warns_counts_at_that_tier_and_is_told(tmp_path: Path) -> None:
    warns = {"ear.status": "warning", "ear.trustworthiness-vector": {"hardware": 32}}
    (item,), (finding,) = read(tmp_path, result({"cpu0": part(), "gpu0": warns}))
    assert item.attestation is not None
    assert (item.attestation.tier, item.attestation.claims) == ("warning", ())
    assert (finding.id, finding.level) == ("GW0442", Level.WARNING)
    strict, lenient = (AttestationClause((), (), (), (), 0, YAML, tier) for tier in (AFFIRMING, WARNING))
    assert not strict.met_by(item.attestation)
    assert lenient.met_by(item.attestation)


SNP = {
    "reported_tcb_bootloader": 4,
    "reported_tcb_tee": 0,
    "reported_tcb_snp": 24,
    "reported_tcb_microcode": 219,
    "policy_debug_allowed": 0,
}


@pytest.mark.parametrize(
    ("evidence", "tcbs"),
    [
        ({"tdx": {"tcb_status": "UpToDate"}}, (Tcb("UpToDate"),)),
        ({"sgx": {"tcb_status": "OutOfDate", "tcb_date": "2023-02-15"}}, (Tcb("OutOfDate"),)),
        ({"snp": SNP}, (Tcb(versions=(("bootloader", 4), ("tee", 0), ("snp", 24), ("microcode", 219))),)),
        ({"az-snp-vtpm": {"reported_tcb_snp": 255}, "report_data": "AA"}, (Tcb(versions=(("snp", 255),)),)),
        ({"snp": {"reported_tcb_snp": 256, "reported_tcb_tee": "0", "reported_tcb_microcode": True}}, (Tcb(),)),
        ({"tdx": {"tcb_status": ["UpToDate"]}}, (Tcb(),)),
        ({"cca": {}, "tdx": {"tcb_status": "UpToDate"}}, (Tcb(), Tcb("UpToDate"))),
        ({"nvidia": {"tcb_status": "UpToDate"}}, ()),
        ({}, ()),
    ],
)
def test_the_tcb_is_what_each_environment_tells_of_it(
    tmp_path: Path, evidence: dict[str, Any], tcbs: tuple[Tcb, ...]
) -> None:
    assert proved(tmp_path, {"cpu0": part(evidence)}).tcbs == tcbs


def test_what_an_attester_claims_in_draft_04_is_of_its_environment(tmp_path: Path) -> None:
    evidence = {"tee": "tdx", "claims": {"tcb_status": "UpToDate"}, "report_data": "AA"}
    submods = {"cpu0": {**part(), "ear_attester_claims": evidence}}
    found = proved(tmp_path, submods)
    assert (found.tees, found.tcbs) == (("tdx",), (Tcb("UpToDate"),))
    (tmp_path / "odd").mkdir()
    odd = {"cpu0": {**part(), "ear_attester_claims": {"tee": ["tdx"], "claims": {"tcb_status": "UpToDate"}}}}
    assert proved(tmp_path / "odd", odd).tees == ("`claims`",)


def test_a_device_beside_the_environment_of_draft_04_does_not_go_unseen(tmp_path: Path) -> None:
    evidence = {"tee": "tdx", "claims": {"tcb_status": "UpToDate"}, "nvidia": {"secboot": False}}
    submods = {"cpu0": {**part(), "ear_attester_claims": evidence}, "gpu0": part({"nvidia": CARD})}
    found = proved(tmp_path, submods)
    assert (found.tees, found.devices) == (("tdx",), ())
    (tmp_path / "twice").mkdir()
    twice = {"tee": "tdx", "claims": {"tcb_status": "UpToDate"}, "tdx": {"tcb_status": "Revoked"}}
    found = proved(tmp_path / "twice", {"cpu0": {**part(), "ear_attester_claims": twice}})
    assert (found.tees, found.tcbs) == (("`claims`", "tdx"), (Tcb("UpToDate"), Tcb("Revoked")))


@pytest.mark.parametrize(
    ("claims", "features"),
    [
        ({"hwmodel": "GH100"}, ()),
        ({"hwmodel": "GH100", "secboot": "true", "dbgstat": "enabled"}, ()),
        ({"hwmodel": "GH100", "secboot": 1, "dbgstat": 1}, ()),
        ({"hwmodel": "GH100", "secboot": False, "dbgstat": "disabled-since-boot"}, ("debug-disabled",)),
        *[({"hwmodel": "GH100", "dbgstat": word}, ("debug-disabled",)) for word in DISABLED],
        ({"hwmodel": "GH100", "secboot": True, "dbgstat": ["disabled"]}, ("secure-boot",)),
        ({ANNOTATED: {"tdx": {}}, "hwmodel": "x", "secboot": True}, ("secure-boot",)),
        ({"hwmodel": "GH100", "oemboot": True}, ("secure-boot",)),
        ({"hwmodel": "GH100", "oemboot": True, "secboot": False}, ()),
        ({ANNOTATED: "nvidia", **CARD}, ("debug-disabled", "secure-boot")),
        ({ANNOTATED: {"nvidia": ["hwmodel"]}}, ()),
        ({ANNOTATED: {"nvidia": CARD}}, ("debug-disabled", "secure-boot")),
        ({ANNOTATED: {"snp": {}, "nvidia": {"secboot": False, "dbgstat": "enabled"}}}, ()),
        ({ANNOTATED: {"snp": {}, "nvidia": [CARD]}}, ()),
        ({ANNOTATED: {"snp": {}, "nvidia": None}}, ()),
        ({ANNOTATED: {"nvidia": {**CARD, "secboot": False}}, **CARD}, ("debug-disabled",)),
        ({ANNOTATED: {"nvidia": {}}, **CARD}, ()),
        ({ANNOTATED: {"snp": {}}, "secboot": False}, None),
    ],
)
def test_a_feature_is_there_only_where_it_is_said(claims: dict[str, Any], features: tuple[str, ...] | None) -> None:
    assert features_of(claims) == features


@pytest.mark.parametrize("claims", ["oops", None, [], 7])
@pytest.mark.parametrize("evidence", [{"tdx": {"tcb_status": "UpToDate"}}, {}])
def test_an_environment_without_claims_does_not_hide_behind_another(
    tmp_path: Path, claims: object, evidence: dict[str, Any]
) -> None:
    told = refusal(tmp_path, result({"cpu0": part({**evidence, "snp": claims})}))
    assert told.endswith("`snp` in `ear.veraison.annotated-evidence` is no object of claims")


def test_what_is_no_environment_may_stand_beside_one_in_any_form(tmp_path: Path) -> None:
    found = proved(tmp_path, {"cpu0": part({"tdx": {}, "report_data": "aGk=", "version": "1", "init_data": None})})
    assert found.tees == ("tdx",)
