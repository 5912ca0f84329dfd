"""What `gridwright apply` believes: signatures by the policy that its turn has read, not by the one at its start."""

import shutil
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from process import ROOT

from controller.cli import live
from controller.cli.live import watched
from controller.connections.connections import Connections
from controller.connections.servers import ServerConnection
from controller.loop.turn_policy import TurnPolicy
from policy.source import load

NOBODY = ServerConnection(http="127.0.0.1:9", grpc="127.0.0.1:9", metrics="127.0.0.1:9")


async def test_an_issuer_that_is_taken_out_meanwhile_is_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "WATCH_S", 0.0)
    folder = shutil.copytree(ROOT / "examples" / "confidential", tmp_path / "policy")
    in_force = TurnPolicy(folder, partial(load, environment=""), load(folder).policy)
    async with watched(in_force, Connections(servers={"sealed": NOBODY})) as parts:

        async def believed() -> set[str]:
            snapshot = await parts.evidence.collect(datetime.now(UTC))
            return {item.standard for item in snapshot.evidence}

        assert "mtls" in await believed()
        issuers = (folder / "issuers.yaml").read_text()
        (folder / "issuers.yaml").write_text(issuers.rpartition("---\n")[0])
        assert "mtls" in await believed()
        in_force.load(folder)
        assert await believed() == {"attestation", "slsa", "model-signature", "x509-svid"}
