"""The whole controller as `make bench-cluster-loop` runs it, in small: servers come and rest, and a node is lost."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cluster.starting import BUILT

pytestmark = [pytest.mark.cluster, pytest.mark.usefixtures("helm_is_built")]

ROOT = Path(__file__).parents[2]
SMALL = {"nodes": 8, "pods": 12, "sites": 2, "rest": 6, "interval": 2, "stale-after": 15, "full": 0.2}


def test_a_small_fleet_is_filled_rests_and_leaves_a_node_that_is_lost(tmp_path: Path) -> None:
    if not (BUILT / "kwok").is_file():
        pytest.skip("kwok is not here: `make test-cluster` builds it where Go is installed")
    asked = [f"--{name}={value}" for name, value in {**SMALL, "keep": tmp_path / "work"}.items()]
    command = [sys.executable, str(ROOT / "benchmarks" / "cluster_loop.py"), *asked]
    done = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert 0 < found["servers"] <= found["nodes"] == 8
    assert found["rest_actions"] == 0
    assert found["lost_to_first_route_s"] > 0
    requests = found["requests_a_minute"]
    assert requests["update leases"] > 0
    assert {verb for verb, _, what in (each.partition(" ") for each in requests) if what == "statefulsets"} <= {
        "list",
        "watch",
        "patch",
    }, "nothing is made or removed while the fleet is at rest"
