"""Attestation results count of the machine that a node is now, and not of one that it has replaced."""

from datetime import UTC, datetime, timedelta

from nodes_world import NodesWorld
from world import FRANKFURT, POLICY

from collectors.evidence.records import Attestation, Evidence
from collectors.snapshot import Inventory, InventoryNode, Reading, Snapshot
from controller.planning.build import build
from controller.planning.machines import of_before, of_these_machines
from policy.findings import Place

JOINED = datetime(2026, 5, 4, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def said(name: str, kind: str, subject: str, at: datetime, *, of_attestation: bool = True) -> Evidence:
    """A result, or a certificate, that was made at an instant."""
    result = Attestation("verifier", (), (), (), at) if of_attestation else None
    end = at + timedelta(days=1)
    return Evidence(name, kind, subject, "attestation", (), "i", at, end, Place("e", 1, 1), attestation=result)


def seen(*evidence: Evidence, since: datetime | None = JOINED) -> Snapshot:
    nodes = (InventoryNode("gpu-1", since=since), InventoryNode("gpu-2", since=since))
    return Snapshot(JOINED, evidence=evidence, inventory=(Inventory(FRANKFURT, Reading(nodes, JOINED, "test")),))


BEFORE = said("before", "node", f"{FRANKFURT}/gpu-1", JOINED - SECOND)
SINCE = said("since", "node", f"{FRANKFURT}/gpu-1", JOINED)


def test_a_result_that_is_older_than_the_node_it_names_counts_no_more_and_is_told_of() -> None:
    snapshot = seen(BEFORE)
    assert of_these_machines(snapshot).evidence == ()
    (told,) = of_before(snapshot)
    assert (told.id, told.subject) == ("GW2142", f"node {FRANKFURT}/gpu-1")


def test_one_that_was_made_since_counts_and_nothing_is_told_of_those_before() -> None:
    snapshot = seen(BEFORE, SINCE)
    assert of_these_machines(snapshot).evidence == (SINCE,)
    assert of_before(snapshot) == ()


def test_what_is_said_of_others_than_the_nodes_of_a_cluster_goes_on_to_count() -> None:
    long_ago = JOINED - timedelta(days=400)
    evidence = (
        said("pool", "pool", FRANKFURT, long_ago),
        said("other", "node", "elsewhere/gpu-1", long_ago),
        said("certificate", "pool", FRANKFURT, long_ago, of_attestation=False),
    )
    snapshot = seen(*evidence)
    assert of_these_machines(snapshot) is snapshot
    assert of_before(snapshot) == ()
    assert of_these_machines(seen(BEFORE, since=None)).evidence == (BEFORE,)


def test_plans_go_by_what_is_said_of_the_machines_that_there_are() -> None:
    world = NodesWorld(policy=POLICY)
    built = build(world.policy, seen(BEFORE, SINCE), world.state, world.now)
    assert [each.subject for each in built.whole.attestations] == [f"{FRANKFURT}/gpu-1"]
    assert [each.from_s for each in built.whole.attestations] == [int(JOINED.timestamp())]
