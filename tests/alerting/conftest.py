"""Prometheus' own judge of rules, and a small policy."""

import shutil
from pathlib import Path

import pytest
from alerting_series import ROOT

from policy.resolved import Policy
from policy.source import load_documents


@pytest.fixture(scope="session")
def promtool() -> Path:
    found = shutil.which("promtool", path=str(ROOT / ".venv-promtool")) or shutil.which("promtool")
    if found is None:
        pytest.skip("promtool is not here: `make test` fetches it where Debian's packages are to be had")
    return Path(found)


@pytest.fixture(scope="session")
def policy() -> Policy:
    loaded = load_documents([("good.yaml", (ROOT / "tests/policy/good.yaml").read_text())]).policy
    assert loaded is not None
    return loaded
