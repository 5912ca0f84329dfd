"""What an agent keeps from one release to the next: its last plan above all.

`kept` has a file of each form that there was. The newest is what this release writes: where it is not, what was written
has changed. Then add a default to each new field, or a version and a file; the files that are there stay.
"""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from collectors.recording import encode
from controller.sites.agent.keeping import STATE, VERSION, AgentError, keep_state, kept_state
from controller.sites.agent.scaling import Choice
from controller.sites.agent.state import AgentState, Failure, Remote
from controller.sites.report import Phase, Refused
from tests.sites.agent_world import ELSEWHERE, HERE, LOADS, READ, START, site_load, site_plan

KEPT = Path(__file__).with_name("kept")
SITE = "edge"
UNTIL = START + timedelta(minutes=5)
SEAT = READ, "edge-0"
STATE_THEN = AgentState(
    site=SITE,
    heard_at=START,
    latest=UNTIL,
    phase=Phase.CUT_OFF,
    cut_off_since=START,
    plan=site_plan(7, (site_load(READ, "edge-0", until=UNTIL),), routes=(ELSEWHERE,), fallbacks=(HERE,)),
    former=LOADS[1:],
    choices=(Choice(SEAT, 2),),
    failures=(Failure(UNTIL, "no room", SEAT, blind=True),),
    remotes=(Remote("hall", START, UNTIL),),
    applied=6,
    starts=3,
    refused=Refused(7, "no room"),
)


@pytest.mark.parametrize("version", range(VERSION + 1))
def test_what_each_release_kept_is_read(tmp_path: Path, version: int) -> None:
    shutil.copy(KEPT / f"state-{version}.json", tmp_path / STATE)
    assert kept_state(tmp_path, SITE) == STATE_THEN


def test_what_was_kept_before_refusals_named_what_hangs_is_read(tmp_path: Path) -> None:
    newest = (KEPT / f"state-{VERSION}.json").read_text(encoding="utf-8")
    (tmp_path / STATE).write_text(newest.replace(',"hung":null,"seats":[]', ""), encoding="utf-8")
    assert kept_state(tmp_path, SITE) == STATE_THEN


def test_what_was_kept_before_failures_were_told_apart_is_read(tmp_path: Path) -> None:
    newest = (KEPT / f"state-{VERSION}.json").read_text(encoding="utf-8")
    (tmp_path / STATE).write_text(newest.replace(',"urgent":false', ""), encoding="utf-8")
    assert kept_state(tmp_path, SITE) == STATE_THEN


def test_what_was_kept_before_it_was_known_what_had_begun_is_read(tmp_path: Path) -> None:
    newest = (KEPT / f"state-{VERSION}.json").read_text(encoding="utf-8")
    assert ',"begun":[]' in newest
    (tmp_path / STATE).write_text(newest.replace(',"begun":[]', ""), encoding="utf-8")
    assert kept_state(tmp_path, SITE) == STATE_THEN


def test_what_was_kept_before_it_was_known_what_is_unread_is_read(tmp_path: Path) -> None:
    newest = (KEPT / f"state-{VERSION}.json").read_text(encoding="utf-8")
    assert ',"unread":[]' in newest
    (tmp_path / STATE).write_text(newest.replace(',"unread":[]', ""), encoding="utf-8")
    assert kept_state(tmp_path, SITE) == STATE_THEN


def test_what_this_release_keeps_has_the_newest_form(tmp_path: Path) -> None:
    keep_state(tmp_path, STATE_THEN)
    assert (tmp_path / STATE).read_bytes() == (KEPT / f"state-{VERSION}.json").read_bytes().strip()


def test_what_a_later_release_kept_is_refused_and_left(tmp_path: Path) -> None:
    kept = encode({"version": VERSION + 1, "state": {"site": SITE, "plans": [1]}})
    (tmp_path / STATE).write_bytes(kept)
    with pytest.raises(AgentError, match="of a later release") as refused:
        kept_state(tmp_path, SITE)
    assert "start that one" in str(refused.value)
    assert f"move {STATE} away" in str(refused.value)
    assert (tmp_path / STATE).read_bytes() == kept


@pytest.mark.parametrize(
    "broken", [b"", b"{", b"[]", b'{"version": "1"}', b'{"version": 1}', b'{"version": 1, "state": {}}']
)
def test_what_is_no_state_is_told(tmp_path: Path, broken: bytes) -> None:
    (tmp_path / STATE).write_bytes(broken)
    with pytest.raises(AgentError, match="move it away"):
        kept_state(tmp_path, SITE)
