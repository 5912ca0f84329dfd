"""Reading a folder: what is taken, what is left out, and what cannot be read is a finding with its place."""

import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from policy.catalogue import TITLES, error, warning
from policy.findings import Level, Place
from policy.folder import MAX_BYTES, MAX_DEPTH, SETTLED_NS, Folder, as_text
from policy.source import MAX_FINDINGS, in_order, load, load_documents

HERE = Path(__file__).parent
GOOD = (HERE / "good.yaml").read_text()
MORE = """\
apiVersion: gridwright.dev/v1alpha1
kind: Site
metadata: {name: edge-lyon}
spec: {jurisdictions: [FR, EU]}
"""


def good_folder(folder: Path) -> Path:
    (folder / "good.yaml").write_text(GOOD)
    return folder


def told(folder: Path) -> list[str]:
    return [str(finding) for finding in load(folder).findings]


def test_yaml_files_are_read_at_any_depth_and_nothing_else(tmp_path: Path) -> None:
    documents = GOOD.split("---\n")
    for index, text in enumerate(documents):
        folder = tmp_path / f"team-{index % 2}"
        folder.mkdir(exist_ok=True)
        (folder / f"{index}.{'yml' if index % 2 else 'yaml'}").write_text(text)
    (tmp_path / ".hidden.yaml").write_text("kind: Nonsense\n")
    (tmp_path / "README.md").write_text("kind: Nonsense\n")
    (tmp_path / "evidence").mkdir()
    (tmp_path / "evidence" / "claim.yaml").write_text("kind: Nonsense\n")
    loaded = load(tmp_path)
    assert loaded.findings == ()
    assert loaded.policy is not None
    assert {name.split("/")[0] for name, _ in loaded.policy.documents} == {"team-0", "team-1"}


def test_the_revision_follows_what_is_written_and_nothing_else(tmp_path: Path) -> None:
    first = load(good_folder(tmp_path)).policy
    os.utime(tmp_path / "good.yaml", (1, 1))
    same = load(tmp_path).policy
    (tmp_path / "good.yaml").write_text(GOOD.replace("300ms", "301ms"))
    other = load(tmp_path).policy
    assert first is not None
    assert same is not None
    assert other is not None
    assert first.revision == same.revision != other.revision


def not_utf8(folder: Path) -> None:
    (folder / "latin.yaml").write_bytes(b"apiVersion: v1\nkind: caf\xe9\n")


def enormous(folder: Path) -> None:
    (folder / "big.yaml").write_bytes(b"#" * (MAX_BYTES + 1))


def link_out(folder: Path) -> None:
    (folder / "out.yaml").symlink_to("/etc/hostname")


def link_nowhere(folder: Path) -> None:
    (folder / "gone.yaml").symlink_to(folder / "nothing.yaml")


def pipe(folder: Path) -> None:
    os.mkfifo(folder / "pipe.yaml")


def named_in_colour(folder: Path) -> None:
    (folder / "\x1b[31mred.yaml").write_text("a: 1")


@pytest.mark.parametrize(
    ("spoil", "start"),
    [
        (named_in_colour, "?[31mred.yaml:1:1: error GW0107: the file's name has characters that cannot be shown"),
        (not_utf8, "latin.yaml:2:10: error GW0107: the file is not UTF-8"),
        (enormous, "big.yaml:1:1: error GW0102: the file has more than the"),
        (link_out, "out.yaml:1:1: error GW0106: the file is a link that leads out of the folder"),
        (link_nowhere, "gone.yaml:1:1: error GW0106: the file cannot be read"),
        (pipe, "pipe.yaml:1:1: error GW0106: this is no regular file"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_and_the_rest_is_read_all_the_same(
    tmp_path: Path, spoil: Callable[[Path], None], start: str
) -> None:
    spoil(good_folder(tmp_path))
    loaded = load(tmp_path)
    assert loaded.policy is None
    assert [str(finding)[: len(start)] for finding in loaded.findings] == [start]


@pytest.mark.parametrize("hidden", ["..data", "kept"])
def test_a_linked_folder_inside_is_read_as_volumes_of_kubernetes_have_them(tmp_path: Path, hidden: str) -> None:
    good_folder(tmp_path)
    (tmp_path / f".{hidden}").mkdir()
    (tmp_path / f".{hidden}" / "more.yaml").write_text(MORE)
    (tmp_path / "compliance").symlink_to(f".{hidden}")
    policy = load(tmp_path).policy
    assert policy is not None
    assert "compliance/more.yaml" in [name for name, _ in policy.documents]


@pytest.mark.parametrize(("where", "told"), [("/etc", "the folder is a link that leads out"), ("no", "No such file")])
def test_a_linked_folder_that_leads_out_or_nowhere_is_never_left_out_without_a_word(
    tmp_path: Path, where: str, told: str
) -> None:
    good_folder(tmp_path)
    (tmp_path / "compliance").symlink_to(where)
    loaded = load(tmp_path)
    assert loaded.policy is None
    assert [(finding.id, str(finding.place)) for finding in loaded.findings] == [("GW0106", "compliance:1:1")]
    assert told in loaded.findings[0].message


def test_an_edit_of_the_same_size_that_hides_its_time_is_read(tmp_path: Path) -> None:
    file = tmp_path / "site.yaml"
    file.write_text("a: 1")
    os.utime(file, ns=(1, 1))
    time.sleep(2 * SETTLED_NS / 1e9)
    folder = Folder(tmp_path, as_text)
    assert folder.read() == ([("site.yaml", "a: 1")], [])
    file.write_text("a: 2")
    os.utime(file, ns=(1, 1))
    assert folder.read() == ([("site.yaml", "a: 2")], [])


def test_folders_stand_in_folders_only_so_deep(tmp_path: Path) -> None:
    deep = good_folder(tmp_path).joinpath(*["deep"] * (MAX_DEPTH - 1))
    deep.mkdir(parents=True)
    assert load(tmp_path).policy is not None
    (deep / "deeper").mkdir()
    loaded = load(tmp_path)
    assert loaded.policy is None
    first = loaded.findings[0]
    assert (first.id, first.message) == ("GW0102", f"folders stand in folders, over {MAX_DEPTH} deep")


def test_more_warnings_than_are_told_are_no_error() -> None:
    calm = warning("GW0306", Place("a.yaml", 1, 1), "it covers no service", "mend it")
    several = [replace(calm, place=Place("a.yaml", line, 1)) for line in range(1, MAX_FINDINGS + 3)]
    assert {finding.level for finding in in_order(several)} == {Level.WARNING}
    worse = [*several, error("GW0302", Place("b.yaml", 1, 1), "there is no such site", "add it")]
    assert [finding.id for finding in in_order(worse) if finding.level is Level.ERROR] == ["GW0302"]


def test_a_folder_without_documents_is_told(tmp_path: Path) -> None:
    assert ["GW0108" in line for line in told(tmp_path)] == [True]


def test_a_policy_without_a_service_is_told(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(GOOD.split("---\n")[0])
    assert any("GW0309" in line for line in told(tmp_path))


def test_a_byte_order_mark_is_a_warning_and_columns_still_count(tmp_path: Path) -> None:
    (tmp_path / "marked.yaml").write_text("\ufeff" + GOOD)
    loaded = load(tmp_path)
    assert loaded.policy is not None
    assert [(finding.id, finding.level) for finding in loaded.findings] == [("GW0104", Level.WARNING)]


@pytest.mark.parametrize(
    "text",
    [
        "[" * 5_000,
        "a: " + "{b: " * 3_000,
        "- " * 20_000,
        "---\n" * 50_000,
        "k: v\n" * 100_000,
        "key: '" + "x" * 3_000_000 + "'\n",
    ],
    ids=["open brackets", "deep mappings", "deep lists", "documents", "one key again and again", "one long text"],
)
def test_hostile_text_is_refused_with_few_findings(text: str) -> None:
    loaded = load_documents([("hostile.yaml", text)])
    assert loaded.policy is None
    assert 1 <= len(loaded.findings) <= 1_001


def test_some_broken_text_makes_each_finding_of_the_catalogue(tmp_path: Path) -> None:
    made = set()
    for file in (HERE / "broken").glob("*.yaml"):
        read = load_documents([("good.yaml", GOOD), (file.name, file.read_text())])
        made |= {f.id for f in (*read.findings, *read.of_tests)}
    marked = load_documents([("marked.yaml", "\ufeff" + GOOD), ("site.yaml", "[" * 5_000)])
    lonely = load_documents([("site.yaml", GOOD.split("---\n")[0])])
    stale = (HERE / "broken" / "bundles.yaml").read_text()
    bundled = load_documents([("good.yaml", GOOD), ("include.yaml", stale), ("bundles/eu/a.yaml", "")])
    idle = load_documents([("good.yaml", GOOD), ("bundles/eu/a.yaml", "")])
    made |= {f.id for f in (*marked.findings, *lonely.findings, *bundled.findings, *idle.findings)}
    made |= {finding.id for finding in load(tmp_path).findings}
    for number, spoil in enumerate((not_utf8, pipe)):
        (folder := tmp_path / str(number)).mkdir()
        spoil(folder)
        made |= {finding.id for finding in load(folder).findings}
    elsewhere = {finding for finding in TITLES if finding.startswith("GW04")} | {"GW0340", "GW0388", "GW0397"}
    assert made - elsewhere == set(TITLES) - elsewhere
