"""Attestation results: those that others wrote, and what a verifier might say that must not count."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from signing import AT, HERE, NOW, YAML, ec_pair, issuer_of, signed

from collectors.evidence.appraised_part import Part, Tier, tier
from collectors.evidence.ear import Appraisal
from collectors.evidence.files import read_evidence
from collectors.evidence.records import Evidence
from collectors.evidence.verify import verify
from policy.findings import Finding, Level
from policy.resolved import Issuer, IssuerKey

CASES = Path(__file__).parents[1] / "cases" / "ear"
TOKENS = {case["name"]: case["token"] for case in json.loads((CASES / "tokens.json").read_text())["tokens"]}
ISSUED = datetime.fromtimestamp(1_666_091_373, UTC)
REALM_ISSUED = datetime.fromtimestamp(1_752_059_139, UTC)
PAIR = ec_pair()


def attesting(key: IssuerKey, iss: str = "Acme Inc.", **changed: Any) -> Issuer:
    fields: dict[str, Any] = {"standards": ("attestation",), "max_age_s": 300, "iss": iss, "keys": (key,), **changed}
    return issuer_of(PAIR, **fields)


def upstream_key() -> IssuerKey:
    return IssuerKey("", tuple(json.loads((CASES / "veraison" / "pkey.json").read_text()).items()), YAML)


def judged(token: str, issuer: Issuer, now: datetime = NOW) -> Evidence | Appraisal | Finding:
    return verify(token, (issuer,), now, HERE)


def reason(token: str, issuer: Issuer, now: datetime = NOW) -> str:
    found = judged(token, issuer, now)
    assert isinstance(found, Finding), found
    return f"{found.id} {found.message}"


def result(**submods: Any) -> dict[str, Any]:
    return {
        "eat_profile": "tag:github.com,2023:veraison/ear",
        "iat": AT,
        "ear.verifier-id": {"developer": "Acme Inc.", "build": "1"},
        "submods": submods,
    }


def part(status: str = "affirming", **claims: Any) -> dict[str, Any]:
    vector = {name.replace("_", "-"): value for name, value in claims.items()}
    return {"ear.status": status, "ear.trustworthiness-vector": vector}


def test_the_good_token_of_others_is_verified_with_its_key() -> None:
    found = judged(TOKENS["arc/testJWT"], attesting(upstream_key()), ISSUED + timedelta(seconds=10))
    assert isinstance(found, Appraisal)
    assert (found.issuer.iss, found.verifier, found.build) == ("Acme Inc.", "Acme Inc.", "rrtrap-v1.0.0")
    assert (found.issued_at, found.expires_at) == (ISSUED, ISSUED + timedelta(minutes=5))
    (test,) = found.parts
    assert test.name == "test"
    assert dict(test.claims)["executables"] == 3
    assert len(test.claims) == 8


def test_the_good_token_of_others_does_not_count_otherwise() -> None:
    token, issuer = TOKENS["arc/testJWT"], attesting(upstream_key())
    at = ISSUED + timedelta(seconds=10)
    assert reason(token, attesting(PAIR.public), at).startswith("GW0407")
    assert reason(token, attesting(PAIR.public, keys=(PAIR.public, ec_pair("b").public)), at).startswith("GW0405")
    assert reason(token, replace(issuer, max_age_s=0), at).startswith(
        "GW0416 the statement is malformed: it never ends"
    )
    assert reason(token, issuer).startswith("GW0411 the statement was issued at 2022-10-18")
    assert reason(token, replace(issuer, standards=("pci-dss",)), at) == "GW0414 `qsa` may not certify `attestation`"
    assert reason(token, replace(issuer, iss="Acme"), at).startswith("GW0404")


@pytest.mark.parametrize(
    ("name", "iss", "now", "start"),
    [
        ("arc/testRealmJWT", "https://confidentialcontainers.org", REALM_ISSUED, "GW0407 the signature is not one of"),
        ("ear_test/L197", "Acme Inc.", ISSUED, "GW0404 no Issuer of the policy is called `None`"),
        ("ear_test/L207", "Acme Inc.", ISSUED, "GW0416 the statement is malformed: expected three parts"),
        ("ear_test/L217", "Acme Inc.", ISSUED, "GW0416 the statement is malformed: expected three parts"),
    ],
)
def test_each_bad_token_of_others_is_refused_for_its_reason(name: str, iss: str, now: datetime, start: str) -> None:
    assert reason(TOKENS[name], attesting(upstream_key(), iss), now).startswith(start)


def test_no_token_of_others_is_left_out() -> None:
    text = Path(__file__).read_text()
    assert all(f'"{name}"' in text for name in TOKENS)


def test_a_token_of_others_is_refused_for_its_secret_key_algorithm_too() -> None:
    """The claims of that token name nobody; under a name its algorithm is the reason."""
    header, _, signature = TOKENS["ear_test/L197"].split(".")
    token = f"{header}.{signed(PAIR, result()).split('.')[1]}.{signature}"
    assert reason(token, attesting(upstream_key())).startswith("GW0406 the signature cannot be relied on")


UPSTREAM_CLAIMS = {
    "ear-claims-tv-ok": "",
    "ear-claims-key-attestation-ok": "",
    "ear-claims-key-attestation-ko": "GW0418 `PARSEC_TPM` is not affirmed: its status is contraindicated",
    "ear-claims": "GW0418 `test` is not affirmed: no claim vouches for it",
    "ear-claims-extension-ok": "GW0418 `test` is not affirmed: no claim vouches for it",
}


@pytest.mark.parametrize("name", sorted(file.stem for file in (CASES / "veraison").glob("ear-*.json")))
def test_the_claims_of_others_count_where_something_vouches_for_them(name: str) -> None:
    claims = json.loads((CASES / "veraison" / f"{name}.json").read_text())
    issuer = attesting(PAIR.public, claims["ear.verifier-id"]["developer"])
    token, now = signed(PAIR, claims), datetime.fromtimestamp(claims["iat"], UTC)
    if UPSTREAM_CLAIMS[name]:
        assert reason(token, issuer, now) == UPSTREAM_CLAIMS[name]
    else:
        assert isinstance(judged(token, issuer, now), Appraisal)


UPSTREAM_RESULTS = {
    "cca.end-to-end": "",
    "cca.good": "",
    "cca.verify-challenge": "",
    "enacttrust.good": "",
    "cca.freshness-fail": "GW0418 `ARM_CCA` is not affirmed: its status is contraindicated",
    "enacttrust.badnode": "GW0418 `TPM_ENACTTRUST` is not affirmed: its status is contraindicated",
}


@pytest.mark.parametrize("name", sorted(file.stem for file in (CASES / "results").glob("*.json")))
def test_the_results_of_others_count_where_every_part_is_affirmed(name: str) -> None:
    submods = json.loads((CASES / "results" / f"{name}.json").read_text())
    token = signed(PAIR, result(**submods))
    found = judged(token, attesting(PAIR.public))
    if UPSTREAM_RESULTS[name]:
        assert f"{found.id} {found.message}" == UPSTREAM_RESULTS[name] if isinstance(found, Finding) else False
    else:
        assert isinstance(found, Appraisal)
        assert [each.name for each in found.parts] == sorted(submods)


def test_the_tiers_of_all_signed_octets() -> None:
    tiers = [(tier(value), value) for value in range(-128, 128)]
    found = {each: [value for at, value in tiers if at is each] for each in Tier}
    assert found[Tier.NONE] == [-1, 0, 1]
    assert found[Tier.AFFIRMING] == [*range(-32, -1), *range(2, 32)]
    assert found[Tier.WARNING] == [*range(-96, -32), *range(32, 96)]
    assert found[Tier.CONTRAINDICATED] == [*range(-128, -96), *range(96, 128)]


@pytest.mark.parametrize(
    ("submods", "start"),
    [
        ({}, "GW0418 `submods` is not affirmed: none is there"),
        ({"cpu0": part(hardware=96)}, "GW0417 `cpu0` is contraindicated by its claims, and its status says affirming"),
        ({"cpu0": part(hardware=-128, executables=2)}, "GW0417"),
        ({"cpu0": part("warning", hardware=99)}, "GW0417 `cpu0` is contraindicated by its claims"),
        ({"cpu0": part(hardware=32)}, "GW0417 `cpu0` is warning by its claims"),
        ({"cpu0": part("contraindicated", hardware=2)}, "GW0418 `cpu0` is not affirmed: its status is contraindicated"),
        ({"cpu0": part("warning")}, "GW0418 `cpu0` is not affirmed: no claim vouches for it"),
        ({"cpu0": part("none", hardware=2)}, "GW0418 `cpu0` is not affirmed: its status is none"),
        ({"cpu0": part()}, "GW0418 `cpu0` is not affirmed: no claim vouches for it"),
        ({"cpu0": part(hardware=0, executables=-1)}, "GW0418 `cpu0` is not affirmed: no claim vouches for it"),
        ({"cpu0": part(hardware=2), "gpu0": part(hardware=97)}, "GW0417 `gpu0`"),
        ({"cpu0": part(hardware=128)}, "GW0416"),
        ({"cpu0": part(hardware=2.0)}, "GW0416"),
        ({"cpu0": part(hardware=True)}, "GW0416"),
        ({"cpu0": part(hardware="affirming")}, "GW0416"),
        ({"cpu0": part(hardwear=2)}, "GW0416"),
        (
            {"cpu0": part("splendid", hardware=2)},
            "GW0416 the statement is malformed: `ear.status` is none of none, aff",
        ),
        ({"cpu0": {"ear.trustworthiness-vector": {"hardware": 2}}}, "GW0416"),
        ({"cpu0": {**part(hardware=2), "ear.trustworthiness-vector": None}}, "GW0416"),
        ({"GPU-0": ["DIGEST", ["SHA-256", "00"]]}, "GW0416 the statement is malformed: there is no object `GPU-0`"),
    ],
)
def test_what_is_not_trusted_does_not_count(submods: dict[str, Any], start: str) -> None:
    assert reason(signed(PAIR, result(**submods)), attesting(PAIR.public)).startswith(start)


@pytest.mark.parametrize(
    ("status", "tier"),
    [({}, Tier.AFFIRMING), ("none", Tier.AFFIRMING), ("affirming", Tier.AFFIRMING), ("warning", Tier.WARNING)],
)
def test_a_status_of_the_whole_counts_as_one_more_part(status: Any, tier: Tier) -> None:
    claims = {**result(cpu0=part(hardware=2)), **({"ear_status": status} if status else {})}
    found = judged(signed(PAIR, claims), attesting(PAIR.public))
    assert isinstance(found, Appraisal)
    assert found.tier is tier


@pytest.mark.parametrize(
    ("status", "start"),
    [
        ("contraindicated", "GW0418 `ear.status` is not affirmed: its status is contraindicated"),
        ("affirming", "GW0417 `ear.status` is warning by its claims, and its status says affirming"),
        ("splendid", "GW0416"),
        (2, "GW0416"),
    ],
)
def test_a_status_of_the_whole_that_is_better_than_its_parts_or_bad_refuses_them(status: Any, start: str) -> None:
    claims = {**result(cpu0=part(hardware=2), gpu0=part("warning", hardware=32)), "ear.status": status}
    assert reason(signed(PAIR, claims), attesting(PAIR.public)).startswith(start)


@pytest.mark.parametrize(
    "changed",
    [{"eat_profile": "tag:a"}, {"submods": []}, {"ear.verifier-id": {"developer": "Acme Inc."}}, {"iat": "now"}],
)
def test_a_result_of_another_shape_is_malformed(changed: dict[str, Any]) -> None:
    claims = {**result(cpu0=part(hardware=2)), **changed}
    assert reason(signed(PAIR, claims), attesting(PAIR.public)).startswith("GW0416")


def test_a_name_in_the_result_stands_before_its_verifiers() -> None:
    token = signed(PAIR, {**result(cpu0=part(hardware=2)), "iss": "lab.example", "aud": "gridwright"})
    assert reason(token, attesting(PAIR.public)).startswith("GW0404 no Issuer of the policy is called `lab.example`")
    assert reason(token, attesting(PAIR.public, "lab.example")).startswith("GW0412")
    found = judged(token, attesting(PAIR.public, "lab.example", audience="gridwright"))
    assert isinstance(found, Appraisal)
    assert found.parts == (Part("cpu0", Tier.AFFIRMING, (("hardware", 2),), features=()),)


def test_a_result_in_the_folder_is_verified_and_permits_nothing(tmp_path: Path) -> None:
    (folder := tmp_path / "evidence").mkdir()
    (folder / "cpu.jwt").write_text(signed(PAIR, result(cpu0=part(hardware=2))))
    evidence, (finding,) = read_evidence(folder, (attesting(PAIR.public),), NOW)
    assert evidence == ()
    assert (finding.id, finding.level, str(finding.place)) == ("GW0419", Level.WARNING, "evidence/cpu.jwt:1:1")
