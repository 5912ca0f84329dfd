"""`gridwright site`: keys, tokens, who has a certificate, and shutting a site out."""

from contextlib import closing
from pathlib import Path

from cryptography import x509
from process import gridwright

from controller.journal.writer import Journal
from controller.planning.decide import decide
from controller.sites.hub.peer import context_of
from policy.source import load
from tests.planning.world import World


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


def test_a_site_that_nobody_knows_gets_no_token(tmp_path: Path) -> None:
    journal, connections = tmp_path / "journal.sqlite", Path("examples/sites-connections.yaml").resolve()
    asked = ("site", "token", "--journal", journal, "--connections", connections)
    unnamed = gridwright(*asked, "edge-pairs")
    assert unnamed.status == 1
    assert "edge-pairs is not among `agents`" in unnamed.err
    assert "edge-paris, edge-lyon" in unnamed.err
    assert gridwright(*asked, "edge-paris").status == 0

    with closing(Journal.open(journal)) as kept:
        world = World()
        decision = decide(world.policy, world.snapshot(), world.state, world.now)
        loaded = load(Path("examples/embedded"))
        assert loaded.policy is not None
        kept.decided(loaded.policy, world.snapshot(), world.state, decision)
    unknown = gridwright("site", "token", "edge-pairs", "--journal", journal)
    assert unknown.status == 1
    assert "has no site edge-pairs" in unknown.err
    assert gridwright("site", "token", "edge-paris", "--journal", journal).status == 0


def test_the_controllers_certificate_is_made_anew_by_the_same_authority(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    gridwright("site", "keys", keys, "--host", "127.0.0.1")
    authority, before = (keys / "authority.pem").read_bytes(), (keys / "controller.pem").read_bytes()
    made = gridwright("site", "certificate", keys, "--host", "127.0.0.1")
    assert [Path(line).name for line in made.out.splitlines()] == ["controller-key.pem", "controller.pem"]
    assert (keys / "authority.pem").read_bytes() == authority
    assert (keys / "controller.pem").read_bytes() != before
    assert sorted(file.name for file in keys.iterdir() if file.stat().st_mode & 0o777 == 0o600) == sorted(
        file.name for file in keys.iterdir()
    )
    found = x509.load_pem_x509_certificate((keys / "controller.pem").read_bytes())
    found.verify_directly_issued_by(x509.load_pem_x509_certificate(authority))
    context_of(keys / "controller.pem", keys / "controller-key.pem", keys / "authority.pem")
    nowhere = gridwright("site", "certificate", tmp_path, "--host", "127.0.0.1")
    assert nowhere.status == 1
    assert "authority.pem cannot be read" in nowhere.err


def test_a_certificate_that_cannot_be_written_leaves_the_one_before_and_its_key(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    gridwright("site", "keys", keys, "--host", "127.0.0.1")
    (keys / "controller.pem.partial").mkdir()
    refused = gridwright("site", "certificate", keys, "--host", "127.0.0.1")
    assert refused.status == 1
    assert "controller.pem.partial cannot be written" in refused.err
    context_of(keys / "controller.pem", keys / "controller-key.pem", keys / "authority.pem")
