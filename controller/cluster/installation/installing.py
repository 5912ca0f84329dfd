"""Installing into a cluster, and removing what was installed: looked at first, then done.

Everything is asked of the API server before anything is written: its version, what whoever installs may do there, and
each object by a dry run. What stands in a namespace that is not there yet cannot be tried, as the server refuses that.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from controller.cluster.api_server.calls import Calls
from controller.cluster.api_server.errors import CallError, MissingError, RefusedError
from controller.cluster.api_server.resources import Resource
from controller.cluster.installation.held_documents import require_readable
from controller.cluster.installation.installed import (
    VERSIONS,
    Manifest,
    differs,
    is_definition,
    is_supported,
    name_of,
    path_of,
    questions,
)
from controller.cluster.names import MANAGED_BY
from controller.cluster.names import MANAGER as CONTROLLER
from controller.cluster.servers.standing import KEPT
from controller.cluster.servers.standing import KINDS as KINDS_WRITTEN
from policy.documents import API_VERSION, KINDS
from policy.schema.crd import plural

MANAGER: Final = "gridwright-install"
HELM_RELEASE: Final = "meta.helm.sh/release-name"
OWN_POLICY: Final = "ValidatingAdmissionPolicy 'gridwright-"
"""How the API server names a policy of an installation that refuses something."""
LINGERS_S: Final = 10.0
"""So long a policy that is gone may go on judging."""
AGAIN_S: Final = 0.3
_REVIEWS: Final = Resource("authorization.k8s.io/v1", "selfsubjectaccessreviews")
_INSTALLS: Final = ("get", "create", "patch")
_REMOVES: Final = ("get", "delete")


class Fate(StrEnum):
    """What becomes of an object."""

    CREATE = "create"
    CHANGE = "change"
    KEEP = "keep"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class Step:
    """An object and what becomes of it."""

    manifest: Manifest
    fate: Fate

    @property
    def is_change(self) -> bool:
        """Whether there is anything to do."""
        return self.fate is not Fate.KEEP

    def __str__(self) -> str:
        return f"{self.fate:<6} {name_of(self.manifest)}"


async def to_install(calls: Calls, manifests: Sequence[Manifest]) -> tuple[Step, ...]:
    """What installing would do, in order. Raises CallError when it cannot be done, with the next step."""
    await _require_version(calls)
    await _require_permission(calls, manifests, _INSTALLS)
    standing = await asyncio.gather(*(_found(calls, each) for each in manifests))
    _require_not_helms(standing)
    await require_readable(calls)
    there = {each["metadata"]["name"] for each in standing if each and each["kind"] == "Namespace"}
    return tuple(
        await asyncio.gather(
            *(
                _step(calls, manifest, found, can_try=manifest["metadata"].get("namespace", "") in {"", *there})
                for manifest, found in zip(manifests, standing, strict=True)
            )
        )
    )


async def to_remove(calls: Calls, manifests: Sequence[Manifest]) -> tuple[Step, ...]:
    """What removing would do, in order. Raises CallError when it cannot be done, or documents would go with it."""
    await _require_permission(calls, manifests, _REMOVES)
    standing = await asyncio.gather(*(_found(calls, each) for each in manifests))
    _require_not_helms(standing)
    await _require_no_documents(calls)
    found = [manifest for manifest, each in zip(manifests, standing, strict=True) if each is not None]
    return tuple(Step(each, Fate.REMOVE) for each in (*reversed(found), *await _made(calls)))


async def carry_out(calls: Calls, steps: Sequence[Step]) -> None:
    """Do it, one after the other. Raises CallError where a step cannot be done; those before it are done."""
    for step in steps:
        if step.fate is Fate.REMOVE:
            await _remove(calls, step.manifest)
        elif step.is_change:
            await calls.apply(path_of(step.manifest), step.manifest, MANAGER, force=is_definition(step.manifest))


async def _require_version(calls: Calls) -> None:
    told = await calls.get("/version")
    if not is_supported(told):
        raise CallError(
            f"the cluster is Kubernetes {told.get('gitVersion')}, which this release is not for",
            f"use one of 1.{VERSIONS[0]} to 1.{VERSIONS[-1]}, or another release of Gridwright",
        )


async def _require_permission(calls: Calls, manifests: Sequence[Manifest], verbs: Sequence[str]) -> None:
    asked = list(questions(manifests, verbs))
    allowed = await asyncio.gather(*(_is_allowed(calls, each) for each in asked))
    missing = [_asked(each) for each, is_allowed in zip(asked, allowed, strict=True) if not is_allowed]
    if missing:
        hint = "have an administrator of the cluster do this, or give you these rights"
        raise CallError(f"you may not {', '.join(missing)}", hint)


async def _is_allowed(calls: Calls, question: Mapping[str, str]) -> bool:
    review = {
        "apiVersion": _REVIEWS.version,
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": dict(question)},
    }
    answer = await calls.create(_REVIEWS.path(), review)
    return bool(answer["status"]["allowed"])


def _asked(question: Mapping[str, str]) -> str:
    of_group = f".{question['group']}" if question["group"] else ""
    within = f" in {question['namespace']}" if question["namespace"] else ""
    return f"{question['verb']} {question['resource']}{of_group}{within}"


async def _found(calls: Calls, manifest: Manifest) -> Mapping[str, Any] | None:
    try:
        return await calls.get(path_of(manifest))
    except MissingError:
        return None


def _require_not_helms(standing: Sequence[Mapping[str, Any] | None]) -> None:
    for each in standing:
        if each and (release := each["metadata"].get("annotations", {}).get(HELM_RELEASE)):
            raise CallError(
                f"Helm has installed this as the release {release}",
                f"go on with Helm: `helm upgrade {release}` or `helm uninstall {release}`",
            )


async def _step(calls: Calls, manifest: Manifest, found: Mapping[str, Any] | None, *, can_try: bool) -> Step:
    """What applying would make of an object; `can_try` is false where its namespace is not there yet."""
    if found is None and not can_try:
        return Step(manifest, Fate.CREATE)
    after = await calls.apply(path_of(manifest), manifest, MANAGER, force=is_definition(manifest), dry_run=True)
    if found is None:
        return Step(manifest, Fate.CREATE)
    return Step(manifest, Fate.CHANGE if differs(found, after) else Fate.KEEP)


async def _made(calls: Calls) -> list[Manifest]:
    """What the controller has made and never removes: the namespaces of pools, with all servers, and their priority."""
    return [
        {"apiVersion": KINDS_WRITTEN[kind].version, "kind": kind, "metadata": {"name": each["metadata"]["name"]}}
        for kind in KEPT
        for each in (await calls.get(KINDS_WRITTEN[kind].path(), labelSelector=f"{MANAGED_BY}={CONTROLLER}"))["items"]
    ]


async def _require_no_documents(calls: Calls) -> None:
    held = [kind for kind in KINDS if await _is_held(calls, kind)]
    if held:
        raise CallError(
            f"the cluster holds documents of the kinds {', '.join(held)}, which would go with their definitions",
            "keep them with `kubectl get gridwright --output yaml`, delete them, and run this again",
        )


async def _is_held(calls: Calls, kind: str) -> bool:
    try:
        return bool((await calls.get(Resource(API_VERSION, plural(kind)).path(), limit=1))["items"])
    except MissingError:
        return False


async def _remove(calls: Calls, manifest: Manifest) -> None:
    """Delete an object. The policies that were removed first judge for a moment longer, and it waits for that."""
    began = time.monotonic()
    while True:
        try:
            await calls.delete(path_of(manifest))
        except MissingError:
            return  # it went with its namespace, or somebody was faster
        except RefusedError as error:
            if OWN_POLICY not in error.message or time.monotonic() - began > LINGERS_S:
                raise
            await asyncio.sleep(AGAIN_S)
        else:
            return
