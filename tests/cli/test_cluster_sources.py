"""What commands say of a cluster that they cannot read; tests/cluster has those that they can."""

import pytest

from controller.cli.errors import CliError
from controller.cli.sources import folder_or_address, source


def test_without_kubectl_a_cluster_is_not_to_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(CliError, match="kubernetes:here: kubectl is not here") as raised:
        source("kubernetes:here")
    assert "install it" in raised.value.hint


def test_a_cluster_is_not_followed() -> None:
    with pytest.raises(CliError, match="kubernetes:here is a cluster, which is read once") as raised:
        folder_or_address("kubernetes:here")
    assert raised.value.hint == "give a folder, or one in git"
