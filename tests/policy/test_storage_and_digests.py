"""Clauses on what nodes store and on which artefacts serve: what is told of them before any plan is made."""

from pathlib import Path

from policy.source import load_documents

GOOD = (Path(__file__).parent / "good.yaml").read_text()
HEAD = "apiVersion: gridwright.dev/v1alpha1\nkind: {kind}\nmetadata: {{name: more}}\n"


def test_encryption_that_no_issuer_may_state_is_told() -> None:
    silent = GOOD.replace("attestation, slsa", "slsa")
    (told,) = [str(each) for each in load_documents([("good.yaml", silent)]).findings if each.id == "GW0335"]
    assert told.endswith(
        "no Issuer may certify `encryption-at-rest` or attest it, so it is never held "
        "(add `encryption-at-rest` or `attestation` to the `claims` of an Issuer)"
    )
    certified = silent.replace("standards: [pci-dss", "standards: [encryption-at-rest, pci-dss")
    assert all(each.id != "GW0335" for each in load_documents([("good.yaml", certified)]).findings)


def test_a_clause_is_called_by_what_it_asks() -> None:
    digests = [f"sha256:{digit * 64}" for digit in "abcd"]
    spec = f"spec:\n  storage: {{encryption: at-rest}}\n  models: {{digests: {digests}}}\n"
    texts = [("good.yaml", GOOD), ("more.yaml", HEAD.format(kind="ComplianceProfile") + spec)]
    policy = load_documents(texts).policy
    assert policy is not None
    (more,) = [each for each in policy.compliance if each.name == "more"]
    assert [(str(each), str(each.place)) for each in (more.storage, more.pinned) if each] == [
        ("encryption at rest", "more.yaml:5:12"),
        ("pinned as sha256:aaaaaaaa… or sha256:bbbbbbbb… or sha256:cccccccc… or 1 more", "more.yaml:6:21"),
    ]


def test_a_team_does_not_pin_what_its_organisation_has_not() -> None:
    asked = f"  compliance:\n    models: {{digests: ['sha256:{'a' * 64}']}}\n"
    pinned = GOOD.replace("  compliance:\n", asked, 1)
    team = HEAD.format(kind="Team") + f"spec: {{compliance: {{models: {{digests: ['sha256:{'b' * 64}']}}}}}}\n"
    loaded = load_documents([("good.yaml", pinned), ("team.yaml", team)])
    (found,) = [each for each in loaded.findings if each.id == "GW0350"]
    assert f"`sha256:{'b' * 53}" in found.message
