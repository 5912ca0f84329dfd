"""Whose evidence counts is for the policy of the same turn to say, from a controller's first turn on."""

import asyncio
from pathlib import Path

from controller.assembly import controller
from controller.connections.connections import Connections
from controller.connections.servers import ServerConnection
from controller.embedded.ports import free_ports
from controller.journal.reader import reading
from controller.journal.records import Decided
from controller.loop.status import Status
from controller.places import Places
from controller.planning.decide import decide
from controller.replay import replay
from policy.source import load, load_documents
from tests.loop.real import EXAMPLE, copied_policy

WITHIN_S = 60
ISSUER = f"""
apiVersion: gridwright.dev/v1alpha1
kind: Issuer
metadata: {{name: qsa.example}}
spec:
  algorithms: [ES256]
  keys: [{(EXAMPLE.parents[1] / "tests" / "cases" / "ear" / "veraison" / "pkey.json").read_text()}]
  claims: {{standards: [pci-dss], sites: [edge-paris]}}
"""


async def test_no_turn_takes_unsigned_evidence_by_a_policy_that_names_an_issuer(tmp_path: Path) -> None:
    policy = load(EXAMPLE).policy
    assert policy is not None
    api, otlp, away = (f"127.0.0.1:{port}" for port in free_ports(3))
    servers = {pool.name: ServerConnection(http=away, metrics=away, grpc=away) for pool in policy.pools}
    folder, journal = copied_policy(tmp_path), tmp_path / "journal.db"
    (folder / "issuer.yaml").write_text(ISSUER)
    turns: asyncio.Queue[Status] = asyncio.Queue()
    places = Places(folder, journal, Connections(servers=servers, api=api, otlp=otlp))
    async with asyncio.timeout(WITHIN_S), controller(places, turns.put_nowait):
        await turns.get()
        (folder / "issuer.yaml").unlink()
        while (await turns.get()).in_force.policy.issuers:  # type: ignore[union-attr]
            pass
        (folder / "issuer.yaml").write_text(ISSUER)
        while not (await turns.get()).in_force.policy.issuers:  # type: ignore[union-attr]
            pass
    with reading(journal) as entries:
        decided = [(named(entry), len(entry.snapshot.evidence)) for entry in list(entries.decisions())]
        again = list(replay(entries, decide, load_documents))
    assert {(True, 0), (False, 3)} == set(decided)
    assert decided[0] == (True, 0)
    assert [one.differences for one in again] == [()] * len(decided)


def named(entry: Decided) -> bool:
    """Whether the policy that was decided by had the issuer."""
    return any(name == "issuer.yaml" for name, _ in entry.documents)
