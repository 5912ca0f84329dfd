"""Commands that act once leave a cluster to the controller that leads there."""

from pathlib import Path

import pytest
from process import EXAMPLE, gridwright

CONNECTIONS = """
cluster:
  servers: {image: triton, repository: {url: "s3://models"}, devices: {edge-module: null, cloud-card: null}}
"""


@pytest.mark.parametrize("command", [["plan"], ["apply", "--yes"]])
def test_connections_to_a_cluster_are_refused_with_what_to_do(command: list[str], tmp_path: Path) -> None:
    file = tmp_path / "connections.yaml"
    file.write_text(CONNECTIONS)
    done = gridwright(*command, EXAMPLE, "--connections", file, "--journal", tmp_path / "journal.sqlite")
    assert done.status == 1
    assert "only the replica that leads acts" in done.err
    assert "`gridwright run`" in done.err
