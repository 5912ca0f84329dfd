"""Where the evidence of a policy is read: beside its folder, and where it is in none, only where one is told."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from collectors.evidence.files import EvidenceFiles
from controller.loop.turn_policy import TurnPolicy, in_no_folder
from policy.source import Loaded
from tests.loop.real import EXAMPLE


async def believed(in_force: TurnPolicy) -> int:
    """How many pieces of evidence a turn goes by."""
    snapshot = await EvidenceFiles(in_force.evidence, in_force.issuers).collect(datetime.now(UTC))
    return len(snapshot.evidence)


def nothing(_: Path) -> Loaded:
    return Loaded(None)


async def test_policy_in_no_folder_goes_by_the_evidence_that_is_told_and_by_none_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(EXAMPLE)
    assert await believed(TurnPolicy(Path(), nothing)) > 0
    assert await believed(in_no_folder(nothing, None)) == 0
    assert await believed(in_no_folder(nothing, EXAMPLE / "evidence")) > 0
