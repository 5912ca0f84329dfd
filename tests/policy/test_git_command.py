"""git as it is run: ended in time, cut off at its limits, and told of where it is missing."""

import os
import shutil
import time
from pathlib import Path
from threading import Timer

import pytest
from git_follower import against

from policy.git.address import parse_address
from policy.git.command import CommandError
from policy.git.command import Repository as Bare
from policy.git.following import Following


def test_a_command_that_hangs_is_ended_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "git"
    fake.write_text("#!/bin/sh\nsleep 60 & sleep 60\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    started = time.monotonic()
    with pytest.raises(CommandError, match=r"not done after 0.5 s"):
        Bare(tmp_path / "repository").git(("fetch",), seconds=0.5)
    stopping = Bare(tmp_path / "repository")
    Timer(0.3, stopping.stop).start()
    with pytest.raises(CommandError, match="stopped"):
        stopping.git(("fetch",))
    assert time.monotonic() - started < 10


def test_an_answer_over_the_limit_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "git"
    fake.write_text("#!/bin/sh\nexec head -c 300000000 /dev/zero\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(CommandError):
        Bare(tmp_path / "repository").git(("fetch",))


def test_a_machine_without_git_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bin").mkdir()
    shell = shutil.which("sh")
    assert shell is not None
    (tmp_path / "bin/sh").symlink_to(shell)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    following = Following(parse_address(f"git+file://{tmp_path}/nowhere@main"), tmp_path / "store")
    following.look()
    assert "git" in following.load().findings[0].message
    assert against(following) == ["GW0460"]
