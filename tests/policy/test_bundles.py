"""A bundle counts exactly while its digest is the one that an Include names."""

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.bundles import digest
from policy.findings import Level
from policy.rereading import Rereading
from policy.source import Loaded, load, load_documents

HEAD = "apiVersion: gridwright.dev/v1alpha1\n"
GOOD = ("good.yaml", (Path(__file__).parent / "good.yaml").read_text())
LYON = ("lyon.yaml", f"{HEAD}kind: Site\nmetadata: {{name: lyon}}\nspec: {{jurisdictions: [FR, EU]}}\n")
POOL_SPEC = "{site: lyon, device: edge-module, nodes: 1, memory: 8GiB, price: $0.05/h}"
POOL = ("pool.yaml", f"{HEAD}kind: Pool\nmetadata: {{name: lyon}}\nspec: {POOL_SPEC}\n")


def include(bundle: str, wanted: str, name: str = "") -> tuple[str, str]:
    named = name or bundle
    return (
        f"include-{named}.yaml",
        f'{HEAD}kind: Include\nmetadata: {{name: {named}}}\nspec: {{bundle: {bundle}, digest: "{wanted}"}}\n',
    )


def within(bundle: str, *texts: tuple[str, str]) -> list[tuple[str, str]]:
    return [(f"bundles/{bundle}/{name}", text) for name, text in texts]


def sites(loaded: Loaded) -> set[str]:
    assert loaded.policy is not None, loaded.findings
    return {site.name for site in loaded.policy.sites}


def ids(loaded: Loaded) -> list[str]:
    return [finding.id for finding in loaded.findings]


def test_the_documents_of_an_included_bundle_count_as_others_do() -> None:
    loaded = load_documents([GOOD, POOL, include("eu", digest([LYON])), *within("eu", LYON)])
    assert loaded.findings == ()
    assert "lyon" in sites(loaded)
    assert loaded.policy is not None
    assert loaded.policy.site("lyon").place.file == "bundles/eu/lyon.yaml"


def test_a_bundle_that_nobody_includes_says_nothing_and_is_told() -> None:
    loaded = load_documents([GOOD, *within("eu", LYON, ("torn.yaml", "[")), ("bundles/alone.yaml", LYON[1])])
    assert ids(loaded) == ["GW0372", "GW0372"]
    assert "lyon" not in sites(loaded)


def test_folders_of_other_names_are_no_bundles() -> None:
    texts = [(f"{folder}/lyon.yaml", LYON[1]) for folder in ("more", "more/bundles/eu")]
    for text in texts:
        assert "lyon" in sites(load_documents([GOOD, text]))


CHANGES = {
    "a file is edited": [(LYON[0], LYON[1].replace("FR, ", ""))],
    "a file is renamed": [("site.yaml", LYON[1])],
    "a file comes": [LYON, ("more.yaml", "")],
    "all files but one go": [("other.yaml", "")],
}


@pytest.mark.parametrize("texts", CHANGES.values(), ids=CHANGES)
def test_another_bundle_than_the_reviewed_one_is_refused_with_its_digest(texts: list[tuple[str, str]]) -> None:
    loaded = load_documents([GOOD, POOL, include("eu", digest([LYON])), *within("eu", *texts)])
    assert loaded.policy is None
    (finding,) = loaded.findings
    assert (finding.id, finding.level) == ("GW0370", Level.ERROR)
    assert digest(texts) in finding.message
    assert str(finding.place) == "include-eu.yaml:4:28"


def test_a_bundle_may_include_another_one() -> None:
    inner = include("sites", digest([LYON]))
    outer = within("eu", POOL, inner)
    wanted = digest([POOL, inner])
    assert "lyon" in sites(load_documents([GOOD, include("eu", wanted), *outer, *within("sites", LYON)]))
    spoilt = load_documents([GOOD, include("eu", wanted), *outer, *within("sites", (LYON[0], LYON[1] + "\n"))])
    assert ids(spoilt) == ["GW0370"]
    assert str(spoilt.findings[0].place).startswith("bundles/eu/include-sites.yaml:")


def test_a_bundle_that_is_included_twice_is_taken_once() -> None:
    includes = [include("eu", digest([LYON])), include("eu", digest([LYON]), "again")]
    assert "lyon" in sites(load_documents([GOOD, *includes, *within("eu", LYON)]))
    one_wrong = [include("eu", digest([LYON])), include("eu", digest([POOL]), "again")]
    assert ids(load_documents([GOOD, *one_wrong, *within("eu", LYON)])) == ["GW0370"]


def test_bundles_that_include_each_other_come_to_an_end() -> None:
    one, other = include("other", digest([LYON])), include("one", digest([LYON]))
    texts = [GOOD, *within("one", one), *within("other", other)]
    loaded = load_documents([*texts, include("one", digest([one]), "first")])
    assert ids(loaded) == ["GW0370"]


def test_nothing_is_said_of_idle_bundles_while_an_include_may_be_among_what_is_broken() -> None:
    broken = ("include.yaml", f"{HEAD}kind: Include\nmetadata: {{name: eu}}\nspec: {{bundle: eu}}\n")
    assert ids(load_documents([GOOD, broken, *within("eu", LYON)])) == ["GW0203"]
    assert ids(load_documents([GOOD, ("torn.yaml", "kind: ["), *within("eu", LYON)])) == ["GW0101"]


def test_what_a_journal_keeps_of_a_policy_gives_it_again_without_what_is_idle() -> None:
    texts = [GOOD, include("eu", digest([LYON])), *within("eu", LYON), *within("us", POOL)]
    first = load_documents(texts).policy
    assert first is not None
    again = load_documents(first.documents)
    assert again.findings == ()
    assert again.policy == first
    assert [name for name, _ in first.documents] == ["bundles/eu/lyon.yaml", "good.yaml", "include-eu.yaml"]


def written(folder: Path, texts: list[tuple[str, str]]) -> Path:
    for name, text in texts:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode())
    return folder


def test_a_bundle_is_watched_while_it_is_edited(tmp_path: Path) -> None:
    rereading = Rereading(written(tmp_path, [GOOD, include("eu", digest([LYON])), *within("eu", LYON)]))
    first = rereading.load()
    assert first is not None
    assert first.findings == ()
    written(tmp_path, within("eu", (LYON[0], LYON[1] + "# a note\n")))
    second = rereading.load()
    assert second is not None
    assert ids(second) == ["GW0370"]


def test_no_link_leads_a_bundle_out_of_the_folder(tmp_path: Path) -> None:
    outside = written(tmp_path / "outside", [LYON])
    policy = written(tmp_path / "policy", [GOOD, include("eu", digest([LYON])), include("far", digest([LYON]))])
    (policy / "bundles" / "eu").mkdir(parents=True)
    (policy / "bundles" / "eu" / LYON[0]).symlink_to(outside / LYON[0])
    (policy / "bundles" / "far").symlink_to(outside)
    loaded = load(policy)
    assert loaded.policy is None
    assert sorted(ids(loaded)) == ["GW0106", "GW0106", "GW0371", "GW0371"]


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=8)
TEXTS = st.dictionaries(NAMES, st.text(st.characters(codec="utf-8"), max_size=8), max_size=3)


@given(TEXTS, TEXTS)
def test_two_bundles_have_one_digest_exactly_when_they_are_the_same(one: dict[str, str], other: dict[str, str]) -> None:
    assert (digest(one.items()) == digest(other.items())) == (one == other)


def test_a_name_cannot_pass_for_a_second_file() -> None:
    two = [("a.yaml", "x"), ("b.yaml", "y")]
    line = subprocess.run(["sha256sum"], input=b"y", capture_output=True, check=True).stdout[:64].decode()  # noqa: S607
    assert digest([(f"a.yaml\n{line}  b.yaml", "x")]) != digest(two)


def test_the_digest_is_what_coreutils_make_of_the_folder(tmp_path: Path) -> None:
    texts = [
        ("b.yaml", "x\n"),
        ("B.yml", "ü"),
        ("sub/a b.yaml", ""),
        ("back\\slash.yaml", "1"),
        ("new\nline.yaml", "2"),
    ]
    written(tmp_path, texts)
    (tmp_path / "README").write_text("no part of it")
    names = sorted((os.fsencode(name) for name, _ in texts))
    sums = subprocess.run([b"sha256sum", *names], cwd=tmp_path, capture_output=True, check=True).stdout
    whole = subprocess.run(["sha256sum"], input=sums, capture_output=True, check=True).stdout[:64]  # noqa: S607
    assert digest(texts) == f"sha256:{whole.decode()}"
