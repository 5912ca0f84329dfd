"""A node that joins a pool waits for its own attestation result, and keeps its pool away from nothing meanwhile."""

from dataclasses import replace
from datetime import timedelta

from test_inventoried import HERE, attesting, used
from world import FRANKFURT, OCR, START, line

from collectors.evidence.records import Evidence
from collectors.snapshot import Inventory, Presence, Server, ServerState, Snapshot
from collectors.snapshot import InventoryNode as Node
from collectors.snapshot import Reading as Read
from controller.decision import Decision
from controller.planning.decide import decide
from controller.planning.held_back import LACKING, held_back
from policy.clauses import StorageClause
from policy.resolved import Policy

EVERY = [f"{FRANKFURT}/{name}" for name in HERE[FRANKFURT]]
NEW, *OLD = HERE[FRANKFURT]


def seen_with(*attested: str, served: tuple[str, ...]) -> tuple[Policy, Snapshot, Decision]:
    """What is seen where these nodes have results and those have a server, empty so far, and what is decided."""
    world, seen = attesting(*attested)
    nodes = {
        pool: tuple(Node(name, server=Presence.READY if name in served else Presence.NONE) for name in names)
        for pool, names in HERE.items()
    }
    servers = tuple(
        Server(pool, Read(ServerState(()), world.now, "test"), name)
        for pool, names in HERE.items()
        for name in names
        if name in served
    )
    inventory = tuple(Inventory(pool, Read(here, world.now, "test")) for pool, here in nodes.items())
    snapshot = replace(seen, servers=servers, inventory=inventory)
    return world.policy, snapshot, decide(world.policy, snapshot, world.state, world.now)


def on_frankfurt(decision: Decision) -> set[str]:
    return used(decision) & set(HERE[FRANKFURT])


def told(decision: Decision) -> list[str]:
    return [each.message for each in decision.findings if each.id == "GW2111"]


def test_a_node_without_a_server_and_a_result_is_left_alone_and_its_pool_serves() -> None:
    *_, decision = seen_with(*EVERY[1:], served=tuple(OLD))
    assert on_frankfurt(decision)
    assert NEW not in used(decision)
    assert told(decision) == [f"nothing new may stand on {NEW}: {LACKING}"]


def test_it_is_used_like_the_others_once_it_is_attested() -> None:
    policy, snapshot, decision = seen_with(*EVERY, served=tuple(OLD))
    assert held_back(policy, snapshot, START) is snapshot
    assert on_frankfurt(decision)
    assert told(decision) == []


def test_a_node_with_a_server_and_no_result_keeps_its_whole_pool_away_as_ever() -> None:
    policy, snapshot, decision = seen_with(*EVERY[1:], served=tuple(HERE[FRANKFURT]))
    assert held_back(policy, snapshot, START) is snapshot
    assert {item.option for item in decision.plan.instances if OCR in item.option and FRANKFURT in item.option} == set()


def test_where_nothing_stands_yet_those_with_a_result_are_begun_with() -> None:
    *_, decision = seen_with(EVERY[-1], served=())
    assert on_frankfurt(decision) <= {HERE[FRANKFURT][-1]}
    assert len(told(decision)) == 1


def test_a_pool_of_which_no_node_has_a_result_is_there_for_what_needs_none() -> None:
    policy, snapshot, decision = seen_with(served=())
    assert held_back(policy, snapshot, START) is snapshot
    assert told(decision) == []


def test_a_result_that_ends_too_soon_is_none() -> None:
    policy, snapshot, _ = seen_with(*EVERY, served=tuple(OLD))

    def ending(at_s: int) -> Snapshot:
        end = START + timedelta(seconds=at_s)
        evidence = tuple(replace(each, expires_at=end) if _is_of(each, NEW) else each for each in snapshot.evidence)
        return replace(snapshot, evidence=evidence)

    lead_s = policy.scaling.evidence_lead_s
    assert closed(held_back(policy, ending(lead_s), START)) == set()
    assert closed(held_back(policy, ending(lead_s - 1), START)) == {NEW}


def test_encryption_at_rest_is_asked_of_each_node_alike() -> None:
    policy, snapshot, _ = seen_with(*EVERY, served=tuple(OLD))
    first, *others = policy.compliance
    asking = replace(policy, compliance=(replace(first, storage=StorageClause(line(71))), *others))
    opaque = tuple(
        replace(each, attestation=replace(each.attestation, claims=("storage-opaque",)))
        if each.attestation and not _is_of(each, NEW)
        else each
        for each in snapshot.evidence
    )
    assert closed(held_back(asking, replace(snapshot, evidence=opaque), START)) == {NEW}


def closed(snapshot: Snapshot) -> set[str]:
    return {node.name for item in snapshot.inventory for node in item.reading.value or () if LACKING in node.against}


def _is_of(evidence: Evidence, node: str) -> bool:
    return evidence.subject == f"{FRANKFURT}/{node}"
