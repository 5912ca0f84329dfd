"""What the API server is asked about, and the paths it has it at."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Resource:
    """Objects of one kind: `version` as manifests have it (`v1`, `apps/v1`), `plural` as in `kubectl api-resources`."""

    version: str
    plural: str

    def path(self, name: str = "", *, namespace: str = "", subresource: str = "") -> str:
        """The path of one object, or of a part of it; without a name that of all, of a namespace or of the cluster."""
        root = "apis" if "/" in self.version else "api"
        within = ("namespaces", quote(namespace, safe="")) if namespace else ()
        one = (quote(name, safe=""), *((subresource,) if subresource else ())) if name else ()
        return "/".join(("", root, self.version, *within, self.plural, *one))


NODES: Final = Resource("v1", "nodes")
PODS: Final = Resource("v1", "pods")
QUOTAS: Final = Resource("v1", "resourcequotas")
NAMESPACES: Final = Resource("v1", "namespaces")
EVENTS: Final = Resource("events.k8s.io/v1", "events")
LEASES: Final = Resource("coordination.k8s.io/v1", "leases")
HTTP_ROUTES: Final = Resource("gateway.networking.k8s.io/v1", "httproutes")
GRPC_ROUTES: Final = Resource("gateway.networking.k8s.io/v1", "grpcroutes")
REFERENCE_GRANTS: Final = Resource("gateway.networking.k8s.io/v1beta1", "referencegrants")
STATEFUL_SETS: Final = Resource("apps/v1", "statefulsets")
