"""The embedded fleet of the example, once for all tests of the loop; a controller's policy and journal for each."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from controller.acting.dry_run import DryRun
from controller.embedded.errors import PartMissingError
from controller.embedded.fleet import EmbeddedFleet, embedded_fleet
from controller.journal.writer import Journal
from controller.loop.turn import Wiring
from controller.places import Places
from policy.source import load
from tests.loop.real import EXAMPLE, copied_policy
from tests.loop.wired import wiring_of

ENVIRONMENT = Path(__file__).parents[2] / ".venv-triton"


@pytest.fixture(scope="session")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedFleet]:
    policy = load(EXAMPLE).policy
    assert policy is not None
    try:
        with embedded_fleet(policy, ENVIRONMENT, tmp_path_factory.mktemp("example") / "work", paced=True) as fleet:
            yield fleet
    except PartMissingError as error:
        pytest.skip(f"{error}")


@pytest.fixture
def places(fleet: EmbeddedFleet, tmp_path: Path) -> Places:
    return Places(copied_policy(tmp_path), tmp_path / "journal.db", fleet.connections)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal.open(tmp_path / "journal.db")
    yield journal
    journal.close()


@pytest.fixture
def dry() -> DryRun:
    return DryRun()


@pytest.fixture
def wiring(tmp_path: Path, journal: Journal, dry: DryRun) -> Wiring:
    return wiring_of(tmp_path, journal, dry)
