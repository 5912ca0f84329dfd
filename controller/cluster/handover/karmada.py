"""Shares as templates of Karmada, with policies that name the one cluster that each goes to.

What differs from cluster to cluster is in the templates: each stands in one cluster alone, so nothing is overridden.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from controller.cluster.handover.shares import Share, Shares
from controller.cluster.names import MANAGED_BY, MANAGER
from controller.cluster.servers.server import Manifest
from controller.cluster.servers.workloads import priority

SHARED: Final = MANAGER
"""The group of what all clusters have."""
VERSION: Final = "policy.karmada.io/v1alpha1"
NOT_EVERYWHERE: Final = {"namespace.karmada.io/skip-auto-propagation": "true"}
"""A label of namespaces: Karmada gives those without it to all of its clusters."""
_AWAY: Final = ("cluster.karmada.io/not-ready", "cluster.karmada.io/unreachable")


def templates(handed: Shares, annotations: Mapping[str, str]) -> dict[str, tuple[Manifest, ...]]:
    """By cluster its objects in the order in which they are needed, and under `SHARED` what all clusters have."""
    if not handed.shares:
        return {}
    classes = (priority(),)
    shared = (*classes, _policy("ClusterPropagationPolicy", SHARED, classes, handed.clusters, annotations))
    return {
        SHARED: shared,
        **{
            cluster: tuple(
                each for share in handed.shares if share.cluster == cluster for each in _of(share, annotations)
            )
            for cluster in handed.clusters
        },
    }


def _of(share: Share, annotations: Mapping[str, str]) -> Iterable[Manifest]:
    metadata = share.namespace["metadata"]
    namespace = {**share.namespace, "metadata": {**metadata, "labels": {**metadata["labels"], **NOT_EVERYWHERE}}}
    clusters = (share.cluster,)
    yield namespace
    yield _policy("ClusterPropagationPolicy", share.name, (namespace,), clusters, annotations)
    yield _policy("PropagationPolicy", MANAGER, share.manifests, clusters, annotations, namespace=share.name)
    yield from share.manifests


def _policy(
    kind: str,
    name: str,
    templates: Sequence[Manifest],
    clusters: Sequence[str],
    annotations: Mapping[str, str],
    *,
    namespace: str = "",
) -> Manifest:
    """Where objects go that are named one by one.

    A cluster that is cut off keeps them: no other may have them. Of two owners of an object in a cluster, the one who
    was there first keeps it.
    """
    within = {"namespace": namespace} if namespace else {}
    return {
        "apiVersion": VERSION,
        "kind": kind,
        "metadata": {"name": name, **within, "labels": {MANAGED_BY: MANAGER}, "annotations": dict(annotations)},
        "spec": {
            "resourceSelectors": [
                {"apiVersion": each["apiVersion"], "kind": each["kind"], **within, "name": each["metadata"]["name"]}
                for each in templates
            ],
            "conflictResolution": "Abort",
            # Others' claims and secrets are in namespaces, which nobody deletes but who owns them.
            **({} if namespace else {"preserveResourcesOnDeletion": True}),
            "placement": {
                "clusterAffinity": {"clusterNames": list(clusters)},
                "clusterTolerations": [{"key": key, "operator": "Exists", "effect": "NoExecute"} for key in _AWAY],
                "replicaScheduling": {"replicaSchedulingType": "Duplicated"},
            },
        },
    }
