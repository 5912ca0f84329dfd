"""Files that others read meanwhile are written whole, or stay as they are."""

from pathlib import Path

import pytest

from controller.cli.errors import CliError
from controller.cli.writing import write_whole


def test_a_file_is_replaced_and_keeps_its_permissions(tmp_path: Path) -> None:
    file = tmp_path / "services.yaml"
    file.write_text("before")
    file.chmod(0o640)
    inode = file.stat().st_ino
    write_whole(file, "after ü")
    assert file.read_text(encoding="utf-8") == "after ü"
    assert file.stat().st_mode & 0o777 == 0o640
    assert file.stat().st_ino != inode
    assert [each.name for each in tmp_path.iterdir()] == ["services.yaml"]


def test_a_new_file_may_be_read_as_any_other(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("")
    write_whole(tmp_path / "new", "text")
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("before")
    (tmp_path / "link").symlink_to("real")
    write_whole(tmp_path / "link", "after")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "after"


def test_what_cannot_be_written_is_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(CliError, match="cannot be written"):
        write_whole(tmp_path / "folder", "text")
    with pytest.raises(CliError, match="cannot be written"):
        write_whole(tmp_path / "none" / "file", "text")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["folder"]
