"""Shares as ManifestWorks of Open Cluster Management, each in the namespace of its cluster on the hub.

A pool has one, so that what leaves the plan goes and nothing passes from one to another; a cluster has one more for
what all of its pools need.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from controller.cluster.handover.catalogue import too_large
from controller.cluster.handover.shares import Share, Shares
from controller.cluster.names import MANAGED_BY, MANAGER
from controller.cluster.servers.server import Manifest
from controller.cluster.servers.workloads import priority
from policy.findings import Finding
from policy.schema.crd import plural

MOST_BYTES: Final = 500 * 1024
"""Of manifests in one ManifestWork, as the hub's webhook counts them."""
MANIFEST_BYTES: Final = 8
"""Counted of each manifest beside its text, at most: it is wrapped twice, with a tag and a length."""
FIELD_MANAGER: Final = "work-agent-gridwright"
"""The work agent takes only names that begin like its own."""
READY: Final = "ready"
"""What a ManifestWork reports of each server: how many of its one pod are ready."""
_KEPT: Final = frozenset({"Namespace", "PriorityClass"})
"""What stays when a ManifestWork is deleted: others' claims and secrets are in namespaces."""


def manifest_works(handed: Shares, annotations: Mapping[str, str]) -> dict[str, tuple[Manifest, ...]]:
    """By cluster its ManifestWorks, in the order in which they are needed."""
    return {
        cluster: (
            _work(cluster, MANAGER, (priority(),), annotations),
            *(
                _work(cluster, share.name, (share.namespace, *share.manifests), annotations)
                for share in handed.shares
                if share.cluster == cluster
            ),
        )
        for cluster in handed.clusters
    }


def refused(handed: Shares) -> Iterator[Finding]:
    """What a hub would not take."""
    for share in handed.shares:
        size = _size(share)
        if size > MOST_BYTES:
            yield too_large(share.pool, size, MOST_BYTES)


def _work(cluster: str, name: str, manifests: Sequence[Manifest], annotations: Mapping[str, str]) -> Manifest:
    orphans = [_identifier(each) for each in manifests if each["kind"] in _KEPT]
    return {
        "apiVersion": "work.open-cluster-management.io/v1",
        "kind": "ManifestWork",
        "metadata": {
            "name": name,
            "namespace": cluster,
            "labels": {MANAGED_BY: MANAGER},
            "annotations": dict(annotations),
        },
        "spec": {
            "workload": {"manifests": list(manifests)},
            "deleteOption": {
                "propagationPolicy": "SelectivelyOrphan",
                "selectivelyOrphans": {"orphaningRules": orphans},
            },
            "manifestConfigs": [_configured(each) for each in manifests],
        },
    }


def _configured(manifest: Manifest) -> Manifest:
    """How the agent writes it: as Gridwright itself would, never taking a field from its owner."""
    strategy = {"type": "ServerSideApply", "serverSideApply": {"force": False, "fieldManager": FIELD_MANAGER}}
    paths = [{"name": READY, "path": ".status.readyReplicas"}]
    feedback = [{"type": "JSONPaths", "jsonPaths": paths}] if manifest["kind"] == "StatefulSet" else []
    return {
        "resourceIdentifier": _identifier(manifest),
        "updateStrategy": strategy,
        **({"feedbackRules": feedback} if feedback else {}),
    }


def _identifier(manifest: Manifest) -> dict[str, str]:
    metadata = manifest["metadata"]
    return {
        "group": manifest["apiVersion"].rpartition("/")[0],
        "resource": plural(manifest["kind"]),
        "namespace": metadata.get("namespace", ""),
        "name": metadata["name"],
    }


def _size(share: Share) -> int:
    manifests = (share.namespace, *share.manifests)
    return sum(len(json.dumps(each, separators=(",", ":")).encode()) + MANIFEST_BYTES for each in manifests)
