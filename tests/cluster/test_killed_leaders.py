"""Replicas of the whole controller, killed amid transitions: the short form of `make bench-kills`."""

from pathlib import Path

import pytest

from controller.embedded.errors import PartMissingError
from tests.cluster.killing.ground import CERTIFIED, ground
from tests.cluster.killing.rounds import Rounds
from tests.cluster.starting import BUILT
from tests.cluster.watcher.judging import judged
from tests.cluster.watcher.seen import Seen

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.long,
    pytest.mark.timeout(900),
    pytest.mark.usefixtures("helm_is_built"),
]

KILLS = 3


def test_leaders_are_killed_and_nothing_is_done_twice_or_lost_or_against_a_rule(tmp_path: Path) -> None:
    try:
        with ground(BUILT, tmp_path) as there:
            Rounds(there, seed=7).run(KILLS)
    except PartMissingError as missing:
        pytest.skip(str(missing))
    found = judged(Seen(tmp_path), CERTIFIED)
    assert len(found.takeovers) == KILLS
    assert found.actions > KILLS
    assert found.breaches == dict.fromkeys(found.breaches, ())
