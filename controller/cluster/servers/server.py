"""The StatefulSet of the Triton server on one node.

One for each server, and not one for a pool: a plan names nodes, and a StatefulSet of several pods gives up the last of
them and no other (docs/decisions/0033-servers-as-workloads.md).
"""

from typing import Any, Final

from controller.cluster.names import MANAGED_BY, MANAGER, NODE, POOL, SERVER, namespace_of, server_of
from controller.cluster.servers.settings import Resources, ServerSettings
from policy.resolved import Pool

HTTP, GRPC, METRICS = 8000, 8001, 8002
PORTS: Final = {"http": HTTP, "grpc": GRPC, "metrics": METRICS}
SERVICE: Final = "servers"
ACCOUNT: Final = "server"
PRIORITY: Final = "gridwright-servers"
_MODELS: Final = "/models"
_SHARED: Final = "/dev/shm"  # noqa: S108 -- in the pod
_SCRATCH: Final = "/tmp"  # noqa: S108 -- in the pod
_MARGIN_S: Final = 5
"""Beyond drain and exit, before a container is killed."""

Manifest = dict[str, Any]


def server(pool: Pool, node: str, settings: ServerSettings) -> Manifest:
    """The StatefulSet of one pod, which runs on that node or nowhere. KeyError for a device without a resource."""
    labels = server_labels(pool.name, node)
    metadata = {"labels": labels, "annotations": {NODE: node}}
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": server_of(node), "namespace": namespace_of(pool.name), **metadata},
        "spec": {
            "replicas": 1,
            "revisionHistoryLimit": 1,
            "serviceName": SERVICE,
            "selector": {"matchLabels": {SERVER: server_of(node)}},
            # A server that serves is not restarted because its settings changed; a new pod has the new ones.
            "updateStrategy": {"type": "OnDelete"},
            "template": {"metadata": metadata, "spec": _pod(pool, node, settings)},
        },
    }


def server_labels(pool: str, node: str) -> dict[str, str]:
    """The labels of what belongs to one server."""
    return {**pool_labels(pool), SERVER: server_of(node)}


def pool_labels(pool: str) -> dict[str, str]:
    """The labels of what belongs to the servers of a pool."""
    return {"app.kubernetes.io/name": "triton", MANAGED_BY: MANAGER, POOL: pool}


def _pod(pool: Pool, node: str, settings: ServerSettings) -> Manifest:
    resource = settings.devices[pool.device]
    return {
        "serviceAccountName": ACCOUNT,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "priorityClassName": PRIORITY,
        "terminationGracePeriodSeconds": settings.drain_s + settings.exit_s + _MARGIN_S,
        "affinity": {"nodeAffinity": _only(node, pool.name)},
        "tolerations": _tolerations(pool.name, resource),
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": settings.user,
            "runAsGroup": settings.user,
            "fsGroup": settings.user,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(pool.name, resource, settings)],
        "volumes": _volumes(settings, settings.resources_of(pool.name)),
    }


def _only(node: str, pool: str) -> Manifest:
    """That node, as long as it is labelled with the pool."""
    name = {"key": "metadata.name", "operator": "In", "values": [node]}
    label = {"key": POOL, "operator": "In", "values": [pool]}
    terms = [{"matchFields": [name], "matchExpressions": [label]}]
    return {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}


def _tolerations(pool: str, resource: str | None) -> list[Manifest]:
    """The taints of nodes that are kept for the pool or for its devices, and those of a node that is cut off.

    No other node may have the server, so there is nothing to evict it for: it goes on when its node is back.
    """
    kept = [{"key": POOL, "operator": "Equal", "value": pool}]
    if resource:
        kept.append({"key": resource, "operator": "Exists"})
    away = [f"node.kubernetes.io/{state}" for state in ("not-ready", "unreachable")]
    return [*kept, *({"key": key, "operator": "Exists", "effect": "NoExecute"} for key in away)]


def _container(pool: str, resource: str | None, settings: ServerSettings) -> Manifest:
    asked = settings.resources_of(pool)
    held = {"cpu": asked.cpu, "memory": asked.memory, "ephemeral-storage": asked.scratch}
    device = {resource: "1"} if resource else {}
    secret = settings.repository.secret
    models = [{"name": "models", "mountPath": _MODELS, "readOnly": True}] if settings.repository.claim else []
    scratch = [{"name": "scratch", "mountPath": _SCRATCH}, {"name": "shared-memory", "mountPath": _SHARED}]
    return {
        "name": "triton",
        "image": settings.image,
        "command": ["tritonserver", *_arguments(pool, settings)],
        "env": [{"name": "HOME", "value": _SCRATCH}],
        **({"envFrom": [{"secretRef": {"name": secret}}]} if secret else {}),
        "ports": [{"name": name, "containerPort": port} for name, port in PORTS.items()],
        "resources": {
            "requests": {**held, **device},
            "limits": {"memory": asked.memory, "ephemeral-storage": asked.scratch, **device},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
        "startupProbe": {**_probe("ready"), "periodSeconds": 2, "failureThreshold": -(-settings.start_s // 2)},
        "readinessProbe": {**_probe("ready"), "periodSeconds": 5, "failureThreshold": 2},
        "livenessProbe": {**_probe("live"), "periodSeconds": 10, "failureThreshold": 6},
        "lifecycle": {"preStop": {"sleep": {"seconds": settings.drain_s}}},
        "volumeMounts": [*models, *scratch],
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }


def _arguments(pool: str, settings: ServerSettings) -> list[str]:
    """Triton's. The server is ready by itself: whether a model is, each model tells."""
    traces = settings.traces
    return [
        f"--model-repository={settings.repository.url or _MODELS}",
        "--model-control-mode=explicit",
        "--strict-readiness=false",
        f"--exit-timeout-secs={settings.exit_s}",
        *(f"--{name}-port={port}" for name, port in PORTS.items()),
        *(
            [
                "--trace-config=mode=opentelemetry",
                f"--trace-config=rate={traces.rate}",
                "--trace-config=level=TIMESTAMPS",
                f"--trace-config=opentelemetry,url={traces.url}/otlp/{pool}/v1/traces",
            ]
            if traces
            else []
        ),
    ]


def _probe(which: str) -> Manifest:
    return {"httpGet": {"path": f"/v2/health/{which}", "port": "http"}, "timeoutSeconds": 3}


def _volumes(settings: ServerSettings, asked: Resources) -> list[Manifest]:
    claim = settings.repository.claim
    models = [{"name": "models", "persistentVolumeClaim": {"claimName": claim, "readOnly": True}}] if claim else []
    scratch = {"name": "scratch", "emptyDir": {"sizeLimit": asked.scratch}}
    shared = {"name": "shared-memory", "emptyDir": {"medium": "Memory", "sizeLimit": asked.shared_memory}}
    return [*models, scratch, shared]
