"""The API server is the one that is pinned, and the pages name it."""

import os
import re
from pathlib import Path

import pytest

from tests.cluster.api_server import ApiServer

ROOT = Path(__file__).parents[2]
MODULE = Path(__file__).parent / "control_plane" / "go.mod"


@pytest.fixture(scope="module")
def pinned() -> str:
    (version,) = re.findall(r"^\s*k8s\.io/kubernetes v(\S+)", MODULE.read_text(), re.MULTILINE)
    return version


@pytest.mark.cluster
def test_the_server_says_the_version_that_is_pinned_or_asked_for(server: ApiServer, pinned: str) -> None:
    wanted = os.environ.get("KUBERNETES") or pinned
    told = server.get("/version")
    assert told["gitVersion"] == f"v{wanted}"
    assert wanted.startswith(f"{told['major']}.{told['minor']}.")


def test_every_part_of_kubernetes_has_the_same_version(pinned: str) -> None:
    parts = re.findall(r"^\tk8s\.io/\S+ => k8s\.io/\S+ v0\.(\S+)$", MODULE.read_text(), re.MULTILINE)
    assert len(parts) > 30
    assert {f"1.{part}" for part in parts} == {pinned}


@pytest.mark.parametrize("page", ["admission.md", "schema.md"])
def test_the_pages_name_what_is_pinned(page: str, pinned: str) -> None:
    assert f"real API server ({pinned})" in " ".join((ROOT / "docs" / page).read_text().split())
