"""The digest that the command prints is the one that an Include takes."""

import shutil
from pathlib import Path

from process import ROOT, gridwright

EXAMPLE = ROOT / "examples" / "organisation"


def test_the_digest_of_the_example_is_the_one_that_it_includes() -> None:
    ran = gridwright("bundle", "digest", EXAMPLE / "bundles" / "spoken-words")
    assert ran.status == 0
    assert f'digest: "{ran.out.strip()}"' in (EXAMPLE / "bundles.yaml").read_text()


def test_an_edited_bundle_is_refused_and_its_new_digest_is_told(tmp_path: Path) -> None:
    shutil.copytree(EXAMPLE, tmp_path / "policy")
    bundle = tmp_path / "policy" / "bundles" / "spoken-words"
    profiles = bundle / "profiles.yaml"
    profiles.write_text(profiles.read_text().replace("mtls", "none"))
    now = gridwright("bundle", "digest", bundle).out.strip()
    ran = gridwright("check", tmp_path / "policy")
    assert ran.status == 1
    assert f"its digest is {now}" in " ".join(ran.out.split())


def test_a_folder_that_cannot_be_read_has_no_digest(tmp_path: Path) -> None:
    missing = gridwright("bundle", "digest", tmp_path / "missing")
    assert (missing.status, missing.out) == (1, "")
    (tmp_path / "x.yaml").write_bytes(b"\xff")
    torn = gridwright("bundle", "digest", tmp_path)
    assert (torn.status, torn.out) == (1, "")
    assert "GW0107" in torn.err


def test_formatting_leaves_bundles_as_they_are(tmp_path: Path) -> None:
    shutil.copytree(EXAMPLE, tmp_path / "policy")
    profiles = tmp_path / "policy" / "bundles" / "spoken-words" / "profiles.yaml"
    text = profiles.read_text().replace("spec:\n", "spec:    \n")
    profiles.write_text(text)
    assert gridwright("fmt", tmp_path / "policy").status == 0
    assert profiles.read_text() == text
