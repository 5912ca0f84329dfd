"""The controller's account in a real cluster with rights of its own, its replicas' kubeconfig, and the fence."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from controller.admission.policy import GROUP
from controller.cluster.api_server.resources import LEASES
from controller.cluster.leading.fencing import TERM, manifests
from controller.cluster.leading.lease import LEASE
from controller.cluster.names import SYSTEM
from tests.cluster.api_server import ApiServer, Manifest, one

RBAC = "rbac.authorization.k8s.io"
EVERYTHING = ["get", "list", "watch", "create", "update", "patch", "delete"]


@dataclass(frozen=True, slots=True)
class Controller:
    """The account's user name, what its replicas are called with, and a namespace in which it may write."""

    user: str
    kubeconfig: Path
    namespace: str


@contextmanager
def controller_of(server: ApiServer, kubeconfig: Path, name: str) -> Iterator[Controller]:
    """An account of a name, whose lease and fence are gone with the context."""
    server.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    user = account(server, SYSTEM, name, rules(name))
    yield Controller(user, kubeconfig_of(server, kubeconfig, SYSTEM, name), name)
    take_away(server, user)


def keep_following_parameters(server: ApiServer) -> None:
    """Have policies of nobody that go by Leases and ConfigMaps, for as long as the server runs.

    An API server (1.36.3) that loses its last policy with parameters of a built-in kind follows that kind no more, also
    when there is a policy again: tests that put up a fence one after another would go by the lease of the first.
    """
    for version, kind in ((LEASES.version, "Lease"), ("v1", "ConfigMap")):
        _keep_following(server, version, kind)


def _keep_following(server: ApiServer, version: str, kind: str) -> None:
    spec: Manifest = {
        "paramKind": {"apiVersion": version, "kind": kind},
        "matchConstraints": {
            "resourceRules": [
                {"apiGroups": ["gridwright.dev"], "apiVersions": ["*"], "operations": ["CREATE"], "resources": ["none"]}
            ]
        },
        "validations": [{"expression": "true"}],
    }
    name = f"{kind.lower()}s-followed"
    kept: Manifest = {"apiVersion": GROUP, "kind": "ValidatingAdmissionPolicy", "metadata": {"name": name}}
    server.create({**kept, "spec": spec})
    param = {"name": LEASE, "namespace": SYSTEM, "parameterNotFoundAction": "Allow"}
    bound = {"policyName": name, "validationActions": ["Audit"], "paramRef": param}
    server.create({**kept, "kind": "ValidatingAdmissionPolicyBinding", "spec": bound})


def put_up(server: ApiServer, user: str) -> None:
    """Have the server hold what an account writes against the lease."""
    for manifest in manifests(user):
        server.create(manifest)


def take_away(server: ApiServer, user: str) -> None:
    """Have neither the fence nor the lease any more, as far as they are there."""
    lease: Manifest = {"apiVersion": LEASES.version, "kind": "Lease", "metadata": {"name": LEASE, "namespace": SYSTEM}}
    for manifest in (*manifests(user), lease):
        if server.is_served(one(manifest)):
            server.delete(manifest)


def rules(name: str) -> list[Manifest]:
    """What a leader of a test may do: hold the lease, say its term, and write what is judged."""
    return [
        {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["get", "create", "update"]},
        {"apiGroups": [""], "resources": ["serviceaccounts"], "resourceNames": [name], "verbs": ["impersonate"]},
        {"apiGroups": ["authentication.k8s.io"], "resources": [f"userextras/{TERM}"], "verbs": ["impersonate"]},
        {"apiGroups": ["scheduling.k8s.io"], "resources": ["priorityclasses"], "verbs": ["create", "patch"]},
        {"apiGroups": [""], "resources": ["configmaps", "pods", "pods/eviction"], "verbs": EVERYTHING},
    ]


def account(server: ApiServer, namespace: str, name: str, rules: list[Manifest]) -> str:
    """Make an account with exactly these rights in the whole cluster; its user name."""
    server.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": namespace}})
    subject = {"kind": "ServiceAccount", "name": name, "namespace": namespace}
    role = {"apiGroup": RBAC, "kind": "ClusterRole", "name": name}
    named = {"apiVersion": f"{RBAC}/v1", "metadata": {"name": name}}
    server.create({**named, "kind": "ClusterRole", "rules": rules})
    server.create({**named, "kind": "ClusterRoleBinding", "roleRef": role, "subjects": [subject]})
    return f"system:serviceaccount:{namespace}:{name}"


def kubeconfig_of(server: ApiServer, kubeconfig: Path, namespace: str, name: str) -> Path:
    """A kubeconfig beside another one, for the same server, by a token of an account."""
    asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}}
    answer = server.post(f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token", asked)
    assert answer.is_success, answer.text
    written: Any = yaml.safe_load(kubeconfig.read_text())
    written["users"][0]["user"] = {"token": answer.json()["status"]["token"]}
    path = kubeconfig.with_name(f"kubeconfig-{name}")
    path.write_text(yaml.safe_dump(written))
    return path
