"""Nodes of a cluster that are held back: what the others of their pool have been attested of, they have not yet.

A clause on attestation, or on encryption at rest, asks for every node of a pool. A node without a server on which
nothing is placed handles nothing, so a machine that joins waits for its own result, rather than keeping its pool away.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from collectors.snapshot import Inventory, Snapshot
from controller.planning.idle import nodes_with_server, without_idle
from controller.planning.inventoried import inventoried
from controller.planning.proofs import attestations, certifications
from policy.findings import Finding, Level
from policy.resolved import Policy, Pool
from rules import attestation, encryption_at_rest
from rules.kernel.problem import Problem
from rules.kernel.spans import Span, cover

LACKING: Final = "not attested as others of its pool are"
SaidOf = Callable[[Pool], Iterable[list[Span]]]


def held_back(policy: Policy, snapshot: Snapshot, now: datetime) -> Snapshot:
    """The snapshot with those nodes closed.

    A node is held back by a clause that holds of another node of its pool, and of each that has a server. Where it
    does not, the pool is barred from what the clause protects anyway, and its nodes are there for everything else.
    """
    present = without_idle(snapshot)
    lacking = dict(_lacking(inventoried(policy, present), present, now))
    if not lacking:
        return snapshot
    return replace(snapshot, inventory=tuple(_closed(each, lacking) for each in snapshot.inventory))


def waiting(snapshot: Snapshot) -> Iterator[Finding]:
    """A warning for each pool with such nodes, in a snapshot that has them closed."""
    for item in snapshot.inventory:
        names = [node.name for node in item.reading.value or () if LACKING in node.against]
        if names:
            yield Finding(
                "GW2111",
                Level.WARNING,
                f"nothing new may stand on {', '.join(names)}: {LACKING}",
                "have each of them attested; plans use it from then on",
                subject=f"pool {item.pool}, nodes that joined",
            )


def _lacking(policy: Policy, snapshot: Snapshot, now: datetime) -> Iterator[tuple[str, frozenset[str]]]:
    """By pool, the nodes that are held back."""
    said = tuple(_said(policy, snapshot, now))
    needed = range(int(now.timestamp()), int(now.timestamp()) + policy.scaling.evidence_lead_s)
    with_server = nodes_with_server(snapshot)
    for item in snapshot.inventory if said else ():
        pool = next((pool for pool in policy.pools if pool.name == item.pool), None)
        if pool is None or not pool.names:
            continue
        found: set[str] = set()
        for said_of in said:
            has = {node: cover(spans, needed) for node, spans in zip(pool.names, said_of(pool), strict=True)}
            if any(has.values()) and all(has[node] for node in pool.names if (pool.name, node) in with_server):
                found |= {node for node in pool.names if not has[node]}
        if found:
            yield pool.name, frozenset(found)


def _said(policy: Policy, snapshot: Snapshot, now: datetime) -> Iterator[SaidOf]:
    """For each clause on nodes, what tells when it is said of each node of a pool."""
    clauses = [profile for profile in policy.compliance if profile.attestation or profile.storage]
    if not clauses or not snapshot.inventory:
        return
    now_s = int(now.timestamp())
    known = Problem(
        policy=policy,
        now_s=now_s,
        needed_until_s=now_s + policy.scaling.evidence_lead_s,
        demands=(),
        options=(),
        paths=(),
        nodes=(),
        certifications=certifications(snapshot.evidence),
        running=(),
        floors=(),
        attestations=attestations(snapshot.evidence),
    )
    for profile in clauses:
        if profile.attestation:
            yield attestation.said_of(known, profile.attestation)
        if profile.storage:
            yield encryption_at_rest.said_of(known, profile.storage)


def _closed(item: Inventory, lacking: Mapping[str, frozenset[str]]) -> Inventory:
    names = lacking.get(item.pool, frozenset())
    if not names or not item.reading.value:
        return item
    nodes = tuple(
        replace(node, against=(*node.against, LACKING)) if node.name in names else node for node in item.reading.value
    )
    return replace(item, reading=replace(item.reading, value=nodes))
