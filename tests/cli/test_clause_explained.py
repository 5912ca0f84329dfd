"""What a clause does, as `explain` tells it."""

from io import StringIO

import pytest
from process import ROOT, gridwright
from rich.console import Console

from controller.clause_effect import Effect
from controller.cli.explain_clause import show_effects
from controller.planning.diff import Change, Kind
from policy.findings import Place

HEALTH = ROOT / "examples" / "health"
EMBEDDED = ROOT / "examples" / "embedded"
CONFIDENTIAL = ROOT / "examples" / "confidential"


def test_a_clause_is_told_with_what_it_bars_the_evidence_and_its_price() -> None:
    (told,) = gridwright("explain", EMBEDDED, "compliance.yaml:11", "--json").json()["clauses"]
    assert told["clause"] == "ComplianceProfile eu-cardholder: pci-dss >=4.0 is held"
    assert told["takes_part"]
    assert {(bar["service"], bar["pool"]) for bar in told["bars"]} == {("receipt-ocr", "edge-lyon")}
    assert {bar["stage"] for bar in told["bars"]} == {"detect", "orient", "read"}
    assert {(proof["pool"], proof["place"]["file"]) for proof in told["evidence"]} == {
        ("edge-paris", "evidence/edge-paris-pci-dss.yaml"),
        ("cloud-frankfurt", "evidence/cloud-frankfurt-pci-dss.yaml"),
    }
    assert (told["cost_millicents_per_hour"], told["without_millicents_per_hour"]) == (85_000, 10_000)
    assert any(change["subject"] == "ppocr-det/fp32@edge-lyon" for change in told["changes"])


def test_a_profile_is_told_clause_by_clause() -> None:
    out = gridwright("explain", HEALTH, "health-data").out
    heads = [line.partition(": ")[0] for line in out.splitlines() if line.startswith("compliance.yaml:")]
    assert heads == [f"compliance.yaml:{at}" for at in ("8:26", "11:9", "13:7", "16:9", "17:10", "18:13")]
    assert "without it the fleet would cost as much: $1.10/h" in out


def test_a_clause_that_does_nothing_now_says_so() -> None:
    out = gridwright("explain", HEALTH, HEALTH / "fleet.yaml:60").out.splitlines()
    assert out[:2] == [
        "fleet.yaml:60:7: CostPolicy ceilings: at most $1.20/h at cloud-paris",
        "it takes no part in the plan",
    ]


def test_spares_that_are_kept_take_part_and_less_would_stand_without_them() -> None:
    out = gridwright("explain", ROOT / "examples" / "factory", "services.yaml:17").out.splitlines()
    assert out[1] == "it takes part in the plan"
    assert any(line.split() == ["~", "find-part/fp16@ulm-line", "2", "instances", "1", "instance"] for line in out)


@pytest.mark.parametrize(
    ("takes_part", "changes", "told"),
    [
        (True, 1, "it takes part in the plan"),
        (False, 0, "it takes no part in the plan"),
        (False, 1, "it bars nothing and none of its limits is reached, but without it there would be another plan"),
    ],
)
def test_a_clause_without_which_something_moves_is_not_told_to_do_nothing(
    *, takes_part: bool, changes: int, told: str
) -> None:
    moves = (Change(Kind.CHANGE, "vad/fp32@own", "2 instances", "1 instance"),) * changes
    effect = Effect(Place("it.yaml", 1, 1), "Service calls: …", takes_part, (), 0, (), 10, 10, moves)
    written = StringIO()
    show_effects(Console(file=written, width=200), [effect])
    assert written.getvalue().splitlines()[1] == told


def test_a_service_on_a_pool_is_allowed_or_not_by_clause_and_evidence() -> None:
    answer = gridwright("explain", HEALTH, "x-ray-triage@paris-reserved", "--json").json()
    by_stage = {each["stage"]: each for each in answer["stages"]}
    assert (by_stage["sort"]["allowed"], by_stage["deidentify"]["allowed"]) == (True, False)
    (objection,) = by_stage["deidentify"]["objections"]
    assert (objection["rule"], objection["place"]["line"]) == ("certification", 28)
    held = {ground["place"]["line"]: ground["evidence"] for ground in by_stage["sort"]["grounds"]}
    assert {line: [proof["standard"] for proof in proofs] for line, proofs in held.items()} == {
        11: ["iso-27001"],
        13: ["c5"],
    }
    text = gridwright("explain", HEALTH, "x-ray-triage@paris-reserved").out
    assert "evidence/cloud-paris-c5.jwt:1:1" in text
    assert any(line.split()[:3] == ["deidentify", "hospital-lille", "barred"] for line in text.splitlines())


def test_behind_a_pool_stands_every_kind_of_evidence_that_it_goes_by() -> None:
    answer = gridwright("explain", CONFIDENTIAL, "call-variants@sealed", "--json").json()
    (stage,) = answer["stages"]
    found = [
        (proof["standard"], proof["subject"], proof["place"]["file"])
        for ground in stage["grounds"]
        for proof in ground["evidence"]
    ]
    assert found == [
        ("x509-svid", "site cloud-amsterdam", "evidence/cloud-amsterdam.pem"),
        ("mtls", "link leiden-amsterdam", "evidence/leiden-amsterdam.jwt"),
        ("attestation", "pool sealed", "evidence/sealed.cwt"),
        ("slsa", "variant-caller/bf16", "evidence/bf16-slsa.dsse"),
        ("model-signature", "variant-caller/bf16", "evidence/bf16-release.sig"),
        ("model-signature", "variant-caller/fp8", "evidence/fp8-release.sig"),
        ("attestation", "pool sealed", "evidence/sealed.cwt"),
    ]
    text = gridwright("explain", CONFIDENTIAL, "call-variants@sealed").out
    assert "no end" in text
    plain = gridwright("explain", CONFIDENTIAL, "call-variants@plain", "--json").json()
    lacking = [ground["clause"] for ground in plain["stages"][0]["grounds"] if not ground["evidence"]]
    assert [words.partition(": ")[2].partition(" ")[0] for words in lacking] == ["attestation", "encryption"]


@pytest.mark.parametrize(
    ("subject", "hint"),
    [
        ("compliance.yaml:2", "clauses of compliance.yaml stand in the lines 8, 11, 13, 16, 17, 18, 28, 36"),
        ("health-dta", "did you mean 'health-data'?"),
        ("x-ray-triage@nowhere", "did you mean"),
    ],
)
def test_what_is_no_clause_is_told_with_those_that_are(subject: str, hint: str) -> None:
    ran = gridwright("explain", HEALTH, subject)
    assert ran.status == 1
    assert hint in ran.err
