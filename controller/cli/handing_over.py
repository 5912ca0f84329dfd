"""A plan for clusters that another program keeps, made from the documents and, where they can be asked, their nodes."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from collectors.snapshot import Reading, Server, ServerState, Snapshot
from controller.admission.lasting import VALID_UNTIL
from controller.admission.manifests import as_yaml
from controller.cli.errors import CliError
from controller.cli.live import connections_at
from controller.cli.nodes import nodes_of
from controller.cli.terminal import working
from controller.cluster.handover.shares import Shares, shares
from controller.decision import Decision, State
from controller.documents import SOURCE, Documents, observe
from controller.planning.decide import decide
from controller.planning.inventoried import inventoried
from policy.findings import Finding, Level
from rules.kernel.quantities import instant

Manifest = dict[str, Any]
Written = Mapping[str, tuple[Manifest, ...]]
"""By group, which is a cluster or what all of them have, its objects."""


@dataclass(frozen=True, slots=True)
class HandedOver:
    """What is handed over, as programs read it. Nothing is, where one of the findings is an error."""

    decision: str
    at: datetime
    valid_until: datetime | None
    groups: Written
    findings: tuple[Finding, ...]

    @property
    def is_refused(self) -> bool:
        """Whether it cannot be handed over as it is."""
        return any(each.level is Level.ERROR for each in self.findings)


def decided(documents: Documents, contexts: Sequence[str]) -> Decision:
    """A plan from nothing, with a server on each node of pools as the clusters of contexts have them.

    Without contexts nodes are called as documents let plans call them. Raises CliError.
    """
    policy, now = documents.policy, datetime.now(UTC)
    inventory = asyncio.run(nodes_of(contexts, policy.pools, now)) if contexts else ()
    seen = replace(observe(policy, documents.evidence, now, documents.findings), inventory=inventory)
    with working("Planning"):
        return decide(policy, _by_node(seen, documents), State(), now)


def handed_over(
    decision: Decision,
    documents: Documents,
    connections: Path,
    form: Callable[[Shares, Mapping[str, str]], Written],
    refused: Callable[[Shares], Iterable[Finding]] = lambda _: (),
) -> HandedOver:
    """The decision as the objects that `form` makes of shares, unless `refused` says why not. Raises CliError."""
    found = connections_at(connections)
    if found.handover is None or found.cluster is None:
        raise CliError(f"{connections} names no clusters to hand plans to", "add `handover`: see docs/handover.md")
    parts = shares(documents.policy.pools, decision.fleet, found.cluster.servers, found.handover)
    findings = (*decision.findings, *parts.findings, *refused(parts))
    until = decision.valid_until
    groups = form(parts, {VALID_UNTIL: instant(int(until.timestamp()))} if until else {})
    return HandedOver(decision.id, decision.at, until, groups, findings)


def as_text(manifests: Iterable[Manifest]) -> str:
    """Manifests as YAML, each of its parts written out where it stands."""
    return as_yaml([msgspec.json.decode(msgspec.json.encode(each)) for each in manifests])


def write(groups: Written, folder: Path) -> None:
    """A file for each group. Raises CliError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for group, manifests in groups.items():
            (folder / f"{group}.yaml").write_text(as_text(manifests), encoding="utf-8")
    except OSError as error:
        raise CliError(f"{folder}: cannot be written ({error.strerror})", "give a folder that you own") from error


def _by_node(snapshot: Snapshot, documents: Documents) -> Snapshot:
    """The snapshot with an empty server on each node."""
    pools = inventoried(documents.policy, snapshot).pools
    reading = Reading(ServerState(()), snapshot.at, SOURCE)
    return replace(
        snapshot, servers=tuple(Server(pool.name, reading, node) for pool in pools for node in pool.node_names())
    )
