"""The section of the connections document that an agent goes by."""

from pathlib import Path

import pytest

from controller.connections.reading import ConnectionsError, read_connections
from controller.sites.agent.assembly import limits_of
from controller.sites.agent.limits import ServerLimits

EXAMPLE = Path(__file__).parents[2] / "examples" / "site-agent.yaml"


def test_the_example_tells_where_the_hub_is_and_what_each_server_may_hold() -> None:
    connections = read_connections(EXAMPLE)
    assert connections.agent is not None
    assert connections.agent.ca_file == EXAMPLE.parent / "keys" / "authority.pem"
    assert limits_of(connections, connections.agent) == {("edge-paris", ""): ServerLimits(4_096, 8)}


@pytest.mark.parametrize(
    ("written", "instead"),
    [("    edge-paris: {memoryMib", "    edge-pari: {memoryMib"), ("memoryMib: 4096", "memoryMib: -1")],
    ids=["a pool without a server", "less than nothing"],
)
def test_limits_that_fit_no_server_are_refused(tmp_path: Path, written: str, instead: str) -> None:
    text = EXAMPLE.read_text()
    assert written in text
    file = tmp_path / "site.yaml"
    file.write_text(text.replace(written, instead))
    with pytest.raises(ConnectionsError, match="limits"):
        read_connections(file)
