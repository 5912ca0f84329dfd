"""What commands say of a cluster that they cannot read; tests/cluster has those that they can."""

from pathlib import Path

import pytest

from controller.cli.errors import CliError
from controller.cli.live import within
from controller.cli.sources import folder_or_address, source
from controller.cluster.servers.settings import ServerSettings
from controller.connections.cluster import ClusterConnection
from controller.connections.connections import Connections


def test_without_a_kubeconfig_a_cluster_is_not_to_be_had(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "nothing"))
    with pytest.raises(CliError, match=f"kubernetes:here: there is no kubeconfig at {tmp_path / 'nothing'}") as raised:
        source("kubernetes:here")
    assert raised.value.hint == "set KUBECONFIG to the file that names the cluster"


def test_a_cluster_is_not_followed() -> None:
    with pytest.raises(CliError, match="kubernetes:here is a cluster, which `gridwright run` alone follows") as raised:
        folder_or_address("kubernetes:here")
    assert raised.value.hint == "give a folder, or one in git"


def test_custom_resources_are_not_beside_themselves() -> None:
    servers = ServerSettings.model_validate(
        {"image": "triton", "repository": {"claim": "models"}, "devices": {"l4": None}}
    )
    connections = Connections(cluster=ClusterConnection(servers=servers, custom_resources="wins"))
    with pytest.raises(CliError, match="the connections have them beside files") as raised:
        within("kubernetes:", connections)
    assert raised.value.hint.startswith("leave `customResources` away there")
