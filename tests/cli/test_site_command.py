"""`gridwright site`: keys, tokens, who has a certificate, and shutting a site out."""

from pathlib import Path

from process import gridwright


def test_keys_are_made_once_and_for_nobody_else(tmp_path: Path) -> None:
    made = gridwright("site", "keys", tmp_path / "keys", "--host", "127.0.0.1", "--host", "gridwright.example")
    assert made.status == 0
    files = [Path(line) for line in made.out.splitlines()]
    assert len(files) == 5
    assert all(file.stat().st_mode & 0o777 == 0o600 for file in files)
    again = gridwright("site", "keys", tmp_path / "keys", "--host", "127.0.0.1")
    assert again.status == 1
    assert "is there already" in again.err


def test_a_token_is_printed_and_its_site_can_be_shut_out(tmp_path: Path) -> None:
    journal = tmp_path / "journal.sqlite"
    token = gridwright("site", "token", "edge-paris", "--journal", journal).out.strip()
    assert len(token) >= 40
    assert token.encode() not in journal.read_bytes()
    assert gridwright("site", "list", "--json", "--journal", journal).json() == {"sites": []}
    assert gridwright("site", "revoke", "edge-paris", "--journal", journal).status == 0
    nobody = gridwright("site", "revoke", "edge-paris", "--journal", journal)
    assert nobody.status == 1
    assert "neither a certificate nor a token" in nobody.err
