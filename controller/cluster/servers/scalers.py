"""Other scalers whose target is a server: two scalers of one workload undo what the other does."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from controller.cluster.api_server.resources import Resource
from controller.cluster.servers.standing import SERVERS, Key

SCALERS: Final[Mapping[str, Resource]] = {
    "HorizontalPodAutoscaler": Resource("autoscaling/v2", "horizontalpodautoscalers"),
    "ScaledObject": Resource("keda.sh/v1alpha1", "scaledobjects"),
}
"""By kind. The second is KEDA's, and there only where KEDA is."""


def targets(kind: str, scalers: Iterable[Mapping[str, Any]]) -> Mapping[Key, str]:
    """By StatefulSet that is the target of a scaler, that scaler. KEDA means a Deployment unless it says otherwise."""
    found = {}
    for each in scalers:
        metadata, target = each["metadata"], each["spec"]["scaleTargetRef"]
        if target.get("kind", "Deployment") == SERVERS:
            key = Key(SERVERS, metadata["namespace"], target["name"])
            found[key] = f"{kind} {metadata['namespace']}/{metadata['name']}"
    return found
