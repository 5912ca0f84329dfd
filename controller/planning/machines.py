"""What is said of nodes, of the machines that they are now: one that replaced another of its name inherits nothing."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from collectors.evidence.records import Evidence
from collectors.snapshot import Snapshot
from policy.findings import Finding, Level


def of_these_machines(snapshot: Snapshot) -> Snapshot:
    """The snapshot without attestation results that are older than the nodes of a cluster that they name."""
    since = _since(snapshot)
    if not any(_is_of_before(each, since) for each in snapshot.evidence):
        return snapshot
    return replace(snapshot, evidence=tuple(each for each in snapshot.evidence if not _is_of_before(each, since)))


def of_before(snapshot: Snapshot) -> tuple[Finding, ...]:
    """A warning for each node of which the only results are older than itself."""
    since = _since(snapshot)
    old = {each.subject for each in snapshot.evidence if _is_of_before(each, since)}
    new = {each.subject for each in snapshot.evidence if each.subject in old and not _is_of_before(each, since)}
    return tuple(
        Finding(
            "GW2142",
            Level.WARNING,
            f"what was attested of it is of before {since[subject].isoformat()}, when a machine joined under this name",
            "have the node attested again",
            subject=f"node {subject}",
        )
        for subject in sorted(old - new)
    )


def _since(snapshot: Snapshot) -> Mapping[str, datetime]:
    """By node, as evidence names it, when it joined."""
    return {
        f"{item.pool}/{node.name}": node.since
        for item in snapshot.inventory
        for node in item.reading.value or ()
        if node.since is not None
    }


def _is_of_before(evidence: Evidence, since: Mapping[str, datetime]) -> bool:
    result = evidence.attestation
    if result is None or evidence.subject_kind != "node" or evidence.subject not in since:
        return False
    return result.appraised_at < since[evidence.subject]
