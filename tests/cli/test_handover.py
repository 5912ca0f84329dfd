"""`gridwright export ocm` and `karmada`: what is written where, and when nothing is."""

import re
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from process import EXAMPLE, ROOT, gridwright

CONNECTIONS = ROOT / "tests" / "cluster" / "hubs" / "connections.yaml"
WITHOUT_PARIS = """
cluster:
  servers: {image: triton, repository: {url: "s3://models"}, devices: {edge-module: null, cloud-card: null}}
handover:
  clusters: {cloud-frankfurt: frankfurt}
"""


@pytest.mark.parametrize(
    ("form", "files"),
    [("ocm", {"paris", "lyon", "frankfurt"}), ("karmada", {"gridwright", "paris", "lyon", "frankfurt"})],
)
def test_a_folder_has_a_file_for_each_cluster(form: str, files: set[str], tmp_path: Path) -> None:
    ran = gridwright("export", form, EXAMPLE, "--connections", CONNECTIONS, "--output", tmp_path / "out")
    assert (ran.status, ran.out) == (0, "")
    assert {file.stem for file in (tmp_path / "out").iterdir()} == files
    written = (tmp_path / "out" / "paris.yaml").read_text()
    assert "--load-model=silero-vad--fp32" in written
    assert "registry.paris.example.org" in written
    assert "&id" not in written
    assert all(yaml.safe_load_all(written))


def test_programs_get_one_document_and_the_same_each_time() -> None:
    told, again = (
        cast("Any", gridwright("export", "ocm", EXAMPLE, "--connections", CONNECTIONS, "--json").json())
        for _ in range(2)
    )
    assert told["groups"] == again["groups"]
    assert told["valid_until"] == "2030-01-15T00:00:00Z"
    assert list(told["groups"]) == ["frankfurt", "lyon", "paris"]
    assert all(each["kind"] == "ManifestWork" for group in told["groups"].values() for each in group)


def test_nothing_is_written_where_a_site_of_the_plan_has_no_cluster(tmp_path: Path) -> None:
    (tmp_path / "connections.yaml").write_text(WITHOUT_PARIS)
    ran = gridwright("export", "ocm", EXAMPLE, "--connections", tmp_path / "connections.yaml")
    assert (ran.status, ran.out) == (1, "")
    assert "GW2200" in ran.err


def test_connections_without_clusters_are_told(tmp_path: Path) -> None:
    (tmp_path / "connections.yaml").write_text(WITHOUT_PARIS.partition("handover")[0])
    ran = gridwright("export", "karmada", EXAMPLE, "--connections", tmp_path / "connections.yaml")
    assert (ran.status, ran.out) == (1, "")
    assert "docs/handover.md" in ran.err


def test_the_page_shows_the_connections_that_tests_take() -> None:
    page = (ROOT / "docs" / "handover.md").read_text()
    (shown,) = re.findall(r"^```yaml\n# connections.yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert shown == CONNECTIONS.read_text()
