"""Evidence from the issuer's hand to a verifier: made with the command, counted by the command."""

import json
import re
import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from process import EXAMPLE, gridwright

from collectors.evidence.artefact import vouched
from policy.documents.issuer import NonceSpec
from policy.findings import Place
from policy.resolved import Issuer, IssuerKey

KEYS: dict[str, Callable[[], Any]] = {
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ES384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
    "PS256": lambda: rsa.generate_private_key(65_537, 2048),
}


def pem(path: Path, key: Any, locked: KeySerializationEncryption | None = None) -> Path:
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked or NoEncryption()))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the example's documents; what it has for evidence stands beside it."""
    copied = shutil.copytree(EXAMPLE, tmp_path / "policy")
    (copied / "evidence").rename(tmp_path / "documents")
    (copied / "evidence").mkdir()
    return copied


def declare(folder: Path, algorithm: str, jwk: dict[str, str]) -> None:
    (folder / "issuer.yaml").write_text(f"""
apiVersion: gridwright.dev/v1alpha1
kind: Issuer
metadata: {{name: qsa.example}}
spec:
  algorithms: [{algorithm}]
  keys: [{json.dumps(jwk)}]
  claims: {{standards: [pci-dss], sites: [edge-paris, cloud-frankfurt]}}
  audience: gridwright
""")


def sign(folder: Path, name: str, key: Path, *more: str) -> Path:
    token = folder / "evidence" / f"{name}.jwt"
    document = folder.parent / "documents" / f"{name}.yaml"
    options = ("--key", key, "--kid", "2026", "--audience", "gridwright", "--output", token)
    ran = gridwright("evidence", "sign", document, *options, *more)
    assert (ran.status, ran.out, ran.err) == (0, "", "")
    return token


@pytest.mark.parametrize("algorithm", KEYS)
def test_what_an_issuer_signs_counts_for_whom_its_key_is_declared(folder: Path, algorithm: str) -> None:
    key = pem(folder.parent / "qsa.pem", KEYS[algorithm]())
    declare(folder, algorithm, gridwright("evidence", "key", key, "--kid", "2026").json())
    sign(folder, "edge-paris-pci-dss", key)
    ran = gridwright("evidence", "verify", folder)
    assert ran.status == 0, ran
    assert "site edge-paris  pci-dss 4.0  qsa.example" in ran.out
    assert ran.out.endswith("1 count, no findings\n")
    answer = gridwright("evidence", "verify", folder, "--json").json()
    assert answer["ok"]
    assert [item["subject"] for item in answer["evidence"]] == ["edge-paris"]


def test_a_renewal_that_is_signed_before_it_begins_is_not_refused(folder: Path) -> None:
    key = pem(folder.parent / "qsa.pem", KEYS["ES256"]())
    declare(folder, "ES256", gridwright("evidence", "key", key, "--kid", "2026").json())
    document = folder.parent / "documents" / "edge-paris-pci-dss.yaml"
    begun = sign(folder, "edge-paris-pci-dss", key)
    text = re.sub("issuedAt: .*", "issuedAt: 2190-01-01T00:00:00Z", document.read_text())
    document.write_text(re.sub("expiresAt: .*", "expiresAt: 2191-01-01T00:00:00Z", text))
    begun.rename(begun.with_name("begun.jwt"))
    to_come = sign(folder, "edge-paris-pci-dss", key)
    ran = gridwright("evidence", "verify", folder, "--json")
    assert (ran.status, [each["id"] for each in ran.json()["findings"]]) == (0, ["GW0409"])
    assert [each["issued_at"][:4] for each in ran.json()["evidence"]] == ["2026", "2190"]
    claims = jwt.decode(to_come.read_text().strip(), options={"verify_signature": False})
    assert time.time() - 600 < claims["iat"] <= time.time() < claims["nbf"]
    claims = jwt.decode(begun.with_name("begun.jwt").read_text().strip(), options={"verify_signature": False})
    assert claims["iat"] == claims["nbf"] < time.time()


def test_what_is_refused_is_told_with_its_reason(folder: Path) -> None:
    key = pem(folder.parent / "qsa.pem", KEYS["ES256"]())
    declare(folder, "ES256", gridwright("evidence", "key", key, "--kid", "2026").json())
    token = sign(folder, "edge-paris-pci-dss", key)
    sign(folder, "edge-lyon-iso-27001", key)
    shutil.copy(folder.parent / "documents" / "cloud-frankfurt-pci-dss.yaml", folder / "evidence")
    token.write_text(token.read_text().replace(".ey", ".eY"))
    ran = gridwright("evidence", "verify", folder)
    assert ran.status == 1
    for found in ("GW0403", "GW0404", "GW0416"):
        assert found in ran.out
    assert gridwright("check", folder).status == 1


def test_a_plan_needs_the_evidence_signed_where_an_issuer_is_declared(folder: Path) -> None:
    key = pem(folder.parent / "qsa.pem", KEYS["ES256"]())
    declare(folder, "ES256", gridwright("evidence", "key", key, "--kid", "2026").json())
    for document in (folder.parent / "documents").iterdir():
        shutil.copy(document, folder / "evidence")
    unsigned = gridwright("plan", folder)
    assert "refused: receipt-ocr@edge-paris 100 %" in unsigned.out
    shutil.rmtree(folder / "evidence")
    (folder / "evidence").mkdir()
    for name in ("edge-paris-pci-dss", "cloud-frankfurt-pci-dss"):
        sign(folder, name, key)
    planned = gridwright("plan", folder)
    assert (planned.status, "refused" in planned.out) == (2, False)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda path: path.write_text("nothing"), "holds no private key"),
        (lambda path: pem(path, KEYS["ES256"](), BestAvailableEncryption(b"secret")), "is encrypted"),
        (lambda path: pem(path, rsa.generate_private_key(65_537, 1024)), "of a kind or length"),  # noqa: S505
        (lambda path: pem(path, ec.generate_private_key(ec.SECP256K1())), "of a kind or length"),
        (lambda path: pem(path, ed448.Ed448PrivateKey.generate()), "of a kind or length"),
        (lambda _: None, "cannot be read"),
    ],
)
def test_a_key_that_cannot_sign_is_one_message(tmp_path: Path, make: Callable[[Path], object], told: str) -> None:
    make(path := tmp_path / "key.pem")
    ran = gridwright("evidence", "sign", EXAMPLE / "evidence" / "edge-paris-pci-dss.yaml", "--key", path)
    assert (ran.status, ran.out) == (1, "")
    assert told in ran.err
    assert "next:" in ran.err


@pytest.mark.parametrize(
    ("text", "told"),
    [("kind: [", "not.yaml"), ("", "holds 0 documents"), ("kind: Site\n", "GW0201")],
)
def test_a_document_that_cannot_be_signed_is_one_message(tmp_path: Path, text: str, told: str) -> None:
    (document := tmp_path / "not.yaml").write_text(text)
    ran = gridwright("evidence", "sign", document, "--key", pem(tmp_path / "key.pem", KEYS["EdDSA"]()))
    assert (ran.status, ran.out) == (1, "")
    assert told in ran.err


def test_a_statement_is_printed_where_no_file_is_named(tmp_path: Path) -> None:
    key = pem(tmp_path / "key.pem", KEYS["ES256"]())
    ran = gridwright("evidence", "sign", EXAMPLE / "evidence" / "edge-paris-pci-dss.yaml", "--key", key)
    assert (ran.status, ran.out.count(".")) == (0, 2)


def test_a_nonce_is_new_each_time_and_stands_in_an_issuer_as_it_is_printed() -> None:
    subjects = ("pool/edge-paris", "pool/edge-paris", "node/edge-paris/gpu-17", "site/edge-paris")
    lines = [gridwright("evidence", "nonce", subject).out for subject in subjects]
    entries = [NonceSpec.model_validate(each) for line in lines for each in yaml.safe_load(line)]
    assert [(each.subject.kind, each.subject.name) for each in entries[1:]] == [
        ("pool", "edge-paris"),
        ("node", "edge-paris/gpu-17"),
        ("site", "edge-paris"),
    ]
    assert len({each.nonce for each in entries}) == len(entries)
    assert all(timedelta() <= datetime.now(UTC) - each.issued_at < timedelta(minutes=5) for each in entries)


@pytest.mark.parametrize(
    "subject", ["edge-paris", "gpu/edge-paris", "node/edge-paris-0", "pool/", "pool/a: b", "link/a-b"]
)
def test_a_nonce_for_what_is_no_subject_is_one_message(subject: str) -> None:
    found = gridwright("evidence", "nonce", subject)
    assert (found.status, found.out) == (1, "")
    assert f"'{subject}' is no subject" in found.err


def test_text_that_is_not_utf8_is_not_signed(tmp_path: Path) -> None:
    document = tmp_path / "paris.yaml"
    document.write_bytes("issuer: Prüfer\n".encode("latin-1"))
    ran = gridwright("evidence", "sign", document, "--key", pem(tmp_path / "key.pem", KEYS["ES256"]()))
    assert (ran.status, ran.out) == (1, "")
    assert "is not UTF-8" in ran.err


def removal(**changed: Any) -> dict[str, Any]:
    predicate = {"classes": ["faces"], "subjects": ["passers-by"], "evaluatedOn": "2026-05-01T00:00:00Z", **changed}
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "full", "digest": {"sha256": "a" * 64}}],
        "predicateType": "https://gridwright.dev/data-removal/v1",
        "predicate": predicate,
    }


@pytest.mark.parametrize("algorithm", KEYS)
def test_what_a_model_removes_is_signed_as_it_is_verified(tmp_path: Path, algorithm: str) -> None:
    key = pem(tmp_path / "lab.pem", KEYS[algorithm]())
    (statement := tmp_path / "removal.json").write_text(json.dumps(removal(), indent=2))
    ran = gridwright("evidence", "sign", statement, "--key", key, "--kid", "k", "--output", tmp_path / "full.dsse")
    assert (ran.status, ran.out, ran.err) == (0, "", "")
    jwk = gridwright("evidence", "key", key, "--kid", "k").json()
    digest = f"sha256:{'a' * 64}"
    here = Place("full.dsse", 1, 1)
    issuer = Issuer(
        "lab",
        "lab",
        (algorithm,),
        (IssuerKey("k", tuple(jwk.items()), here),),
        ("data-removal",),
        (),
        (),
        "",
        0,
        here,
        models=("full",),
        digests=(digest,),
    )
    found = vouched((tmp_path / "full.dsse").read_text(), (issuer,), datetime(2026, 6, 1, tzinfo=UTC), here)
    assert isinstance(found, tuple), found
    assert [(each.subject, {datum.word for datum in each.removes}) for each in found] == [
        (digest, {"faces", "passers-by"})
    ]


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        (removal(classes=["two words"]), "is no list of words"),
        (removal(evaluatedOn="2199-01-01T00:00:00Z"), "GW0410"),
        (removal(but="not at night"), "`but` is no member of a removal"),
        ({**removal(), "predicateType": "https://example.org"}, "GW0425"),
        ({}, "GW0424"),
        ({**removal(), "subject": []}, "`subject` is no list with an artefact in it"),
        ({**removal(), "predicate": {"classes": ["faces"]}}, "`evaluatedOn` is missing"),
    ],
)
def test_a_statement_about_models_that_would_not_count_is_not_signed(
    tmp_path: Path, statement: dict[str, Any], told: str
) -> None:
    (path := tmp_path / "removal.json").write_text(json.dumps(statement))
    ran = gridwright("evidence", "sign", path, "--key", pem(tmp_path / "lab.pem", KEYS["ES256"]()))
    assert (ran.status, ran.out) == (1, "")
    assert told in ran.err
    assert "nothing was signed" in ran.err
    assert "ask the signer" not in ran.err


@pytest.mark.parametrize("name", ["removal.JSON", "removal.txt"])
def test_a_file_whose_name_does_not_tell_what_it_holds_is_not_signed(tmp_path: Path, name: str) -> None:
    (path := tmp_path / name).write_text(json.dumps(removal()))
    ran = gridwright("evidence", "sign", path, "--key", pem(tmp_path / "lab.pem", KEYS["ES256"]()))
    assert (ran.status, ran.out) == (1, "")
    assert "NAME.json where it is a statement" in ran.err


@pytest.mark.parametrize(
    ("name", "output", "wanted"), [("paris.yaml", "a.dsse", "a.jwt"), ("r.json", "a.jwt", "a.dsse")]
)
def test_nothing_is_signed_into_a_file_where_nobody_looks_for_it(
    tmp_path: Path, name: str, output: str, wanted: str
) -> None:
    (tmp_path / name).write_text(json.dumps(removal()))
    key = pem(tmp_path / "lab.pem", KEYS["ES256"]())
    ran = gridwright("evidence", "sign", tmp_path / name, "--key", key, "--output", tmp_path / output)
    assert (ran.status, ran.out) == (1, "")
    assert f"`{wanted}`" in ran.err
    assert not (tmp_path / output).exists()
