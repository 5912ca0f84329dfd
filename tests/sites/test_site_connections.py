"""`sites` of the connections document."""

from pathlib import Path

import pytest

from controller.connections.connections import Connections
from controller.connections.reading import ConnectionsError, read_connections

EXAMPLE = Path("examples/sites-connections.yaml")
ADDRESS = '"127.0.0.1:8790"'


def broken(folder: Path, before: str, after: str) -> str:
    text = EXAMPLE.read_text(encoding="utf-8")
    assert before in text
    file = folder / "connections.yaml"
    file.write_text(text.replace(before, after), encoding="utf-8")
    with pytest.raises(ConnectionsError) as told:
        read_connections(file)
    return str(told.value)


def test_the_example_names_every_field_but_those_with_a_default() -> None:
    sites = read_connections(EXAMPLE).sites
    assert sites is not None
    assert sites.model_fields_set == set(type(sites).model_fields) - {"silent_after_s"}
    assert sites.plan_key == EXAMPLE.parent / "keys" / "plan-key.pem"
    assert sites.silent_after_s == 30


def test_servers_may_all_be_at_sites() -> None:
    sites = read_connections(EXAMPLE).sites
    assert Connections(sites=sites).listened_at()["sites.address"] == "127.0.0.1:8790"


def test_mistakes_are_told(tmp_path: Path) -> None:
    assert "sites.address" in broken(tmp_path, ADDRESS, '"nowhere"')
    assert "beyondLoopback" in broken(tmp_path, ADDRESS, '"0.0.0.0:8790"')
    assert "name each site once" in broken(tmp_path, "[edge-paris, edge-lyon]", "[edge-paris, edge-paris]")
    assert "sites.agents" in broken(tmp_path, "[edge-paris, edge-lyon]", "[]")
    gateway = 'gateways: [{admin: "127.0.0.1:9901", routes: r, origins: {edge-lyon: "127.0.0.1:10000"}}]\nsites:'
    assert "edge-lyon has an agent" in broken(tmp_path, "sites:", gateway)
