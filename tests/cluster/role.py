"""What a role allows, piece by piece, and what an account has asked for, as the API server noted it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import yaml

from tests.cluster.api_server import ApiServer, Manifest
from tests.cluster.helm import ACCOUNT, NAMESPACE, VALUES, manifests, rendered
from tests.cluster.starting import AUDIT, KUBECONFIG

ROLES = ("Role", "ClusterRole")
BINDINGS = ("RoleBinding", "ClusterRoleBinding")


ACCOUNTED = ("ServiceAccount", *ROLES, *BINDINGS, "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")


def of_account() -> list[Manifest]:
    """What the chart renders of the controller's account: its rights, and what its writes are held to."""
    return [each for each in manifests(rendered(VALUES / "git.yaml")) if each["kind"] in ACCOUNTED]


class Right(NamedTuple):
    """One thing that may be done. `name` is empty for any object, `namespace` for those of the cluster or of any."""

    verb: str
    group: str
    resource: str
    namespace: str = ""
    name: str = ""


def granted(manifests: list[Manifest]) -> set[Right]:
    """Every right that the bindings among some manifests give the controller's account."""
    roles = {(each["kind"], each["metadata"]["name"]): each for each in manifests if each["kind"] in ROLES}
    return {
        right
        for binding in manifests
        if binding["kind"] in BINDINGS and _is_ours(binding)
        for right in _rights(roles[binding["roleRef"]["kind"], binding["roleRef"]["name"]], binding["metadata"])
    }


def _is_ours(binding: Manifest) -> bool:
    return any(each["kind"] == "ServiceAccount" and each["name"] == ACCOUNT for each in binding["subjects"])


def _rights(role: Manifest, bound: Manifest) -> Iterator[Right]:
    for rule in role["rules"]:
        for verb in rule["verbs"]:
            for group in rule["apiGroups"]:
                for resource in rule["resources"]:
                    for name in rule.get("resourceNames", [""]):
                        yield Right(verb, group, resource, bound.get("namespace", ""), name)


class Asked(NamedTuple):
    """A request of the account: the rights that it took, and the status of its answer."""

    rights: tuple[Right, ...]
    status: int
    is_dry_run: bool


def asked(work: Path) -> list[Asked]:
    """All that the account has asked of resources."""
    events = map(json.loads, (work / AUDIT).read_text().splitlines())
    return [
        Asked(tuple(_taken(each)), each["responseStatus"]["code"], "dryRun=All" in each["requestURI"])
        for each in events
        if "objectRef" in each
    ]


def _taken(event: dict[str, Any]) -> Iterator[Right]:
    """The rights that a request took. One that applies what is not there yet takes that to create it, too."""
    what = event["objectRef"]
    resource = "/".join((what["resource"], what["subresource"])) if "subresource" in what else what["resource"]
    right = Right(event["verb"], what.get("apiGroup", ""), resource, what.get("namespace", ""), what.get("name", ""))
    yield right
    if right.verb == "patch" and event["responseStatus"]["code"] == httpx.codes.CREATED:
        yield right._replace(verb="create")
    if meant := event.get("impersonatedUser"):
        yield Right("impersonate", "", "serviceaccounts", *meant["username"].split(":")[2:])
        for extra, values in meant["extra"].items():
            yield from (Right("impersonate", "authentication.k8s.io", f"userextras/{extra}", "", v) for v in values)


def covers(right: Right, other: Right) -> bool:
    """Whether one right is enough for what another one names."""
    return right[:3] == other[:3] and right.namespace in {"", other.namespace} and right.name in {"", other.name}


def as_controller(server: ApiServer, work: Path) -> Path:
    """A kubeconfig with the context `controller`, which is the controller's account and nobody else, for a day."""
    lasting = {"expirationSeconds": 24 * 3600}
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": lasting}
    path = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/{ACCOUNT}/token"
    kept = yaml.safe_load((work / KUBECONFIG).read_text())
    user = {"token": server.post(path, request).json()["status"]["token"]}
    kept["users"] = [{"name": "controller", "user": user}]
    kept["contexts"] = [{"name": "controller", "context": {"cluster": "tests", "user": "controller"}}]
    file = work / "controller.kubeconfig"
    file.write_text(yaml.safe_dump({**kept, "current-context": "controller"}))
    return file
