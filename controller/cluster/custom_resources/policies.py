"""Policy that is followed in a cluster: an informer for each kind of resource, and the policy that they make."""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from controller.cluster.api_server.calls import Calls, Object
from controller.cluster.api_server.resources import Resource as Served
from controller.cluster.api_server.store import Watched
from controller.cluster.api_server.watching import Informer, following
from controller.cluster.custom_resources.catalogue import not_kept
from controller.cluster.custom_resources.condition import Condition, Holds
from controller.cluster.custom_resources.conditions import Resource
from controller.cluster.custom_resources.dropped import dropped
from controller.cluster.inventory.catalogue import unfollowed
from policy.cluster.documents import documents, field_at
from policy.documents import API_VERSION, KINDS
from policy.findings import Finding, Place
from policy.rereading import Reread
from policy.schema.crd import plural
from policy.source import Loaded


@dataclass(frozen=True, slots=True)
class Told:
    """A condition that a resource has, and since when, as Kubernetes writes instants."""

    condition: Condition
    since: str


@dataclass(frozen=True, slots=True)
class Held:
    """A custom resource as the cluster has it: its document, and what was told of it, which is no part of it.

    `dropped` are the fields that were written to it and that the cluster does not keep.
    """

    uid: str
    generation: int
    text: str
    dropped: tuple[str, ...] = ()
    observed_generation: int = field(default=0, compare=False)
    told: tuple[Told, ...] = field(default=(), compare=False)


def held(resource: Object) -> Held:
    """What is kept of a custom resource."""
    metadata, status = resource["metadata"], resource.get("status", {})
    ((_, text),) = documents([resource])
    told = (
        Told(
            Condition(each["type"], Holds(each["status"]), each["reason"], each["message"]), each["lastTransitionTime"]
        )
        for each in status.get("conditions", ())
    )
    return Held(
        metadata["uid"],
        metadata["generation"],
        text,
        dropped(resource),
        status.get("observedGeneration", 0),
        tuple(told),
    )


PREFIX: Final = "kubernetes:"
"""Before the names of resources' documents, where files of another source are beside them."""
SERVED: Final[Mapping[str, Served]] = {kind: Served(API_VERSION, plural(kind)) for kind in KINDS}
"""By kind, the resource that documents of it are."""


class ClusterPolicy:
    """The policy of custom resources, followed while `running` runs; `changed` is called for each change of one."""

    def __init__(
        self,
        calls: Calls,
        clock: Callable[[], datetime],
        changed: Callable[[], None] = lambda: None,
        environment: str = "",
    ) -> None:
        self._informers = {
            kind: Informer(calls, Watched(served, held), clock, changed) for kind, served in SERVED.items()
        }
        self._reread = Reread(environment)
        self._loaded = Loaded(None)
        self._read: Mapping[Resource, Held] = {}

    @property
    def read(self) -> Mapping[Resource, Held]:
        """The resources that the policy was last loaded from."""
        return self._read

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Follow the resources while the block runs, which begins once all were listed."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(following(*self._informers.values()))
            for informer in self._informers.values():
                await informer.listed()
            yield

    def load(self, _folder: Path | None = None) -> Loaded:
        """The policy of the resources as they are now; findings have places in the documents of resources."""
        texts, lost, untold = self.texts()
        self._loaded = self._reread.load(texts, lost) or self._loaded
        return replace(self._loaded, findings=(*untold, *self._loaded.findings))

    def texts(self) -> tuple[list[tuple[str, str]], list[Finding], tuple[Finding, ...]]:
        """The documents of the resources by name; what was lost of them; what keeps them from being followed."""
        # Another thread takes events meanwhile, so everything is copied at once.
        found = {kind: informer.objects.copy() for kind, informer in self._informers.items()}
        self._read = {
            Resource(kind, name.name): each for kind, objects in found.items() for name, each in objects.items()
        }
        lost = [not_kept(resource.file, each.dropped) for resource, each in self._read.items() if each.dropped]
        troubles = {plural(kind): informer.trouble for kind, informer in self._informers.items() if informer.trouble}
        untold = tuple(unfollowed(what, trouble) for what, trouble in troubles.items())
        return sorted((resource.file, each.text) for resource, each in self._read.items()), lost, untold

    def field_at(self, place: Place) -> str:
        """Which field of a resource a place is, as `.spec.site`; empty where it is of none that was read."""
        kind, _, file = place.file.removeprefix(PREFIX).partition("/")
        one = self._read.get(Resource(kind, file.removesuffix(".yaml")))
        return field_at(place, one.text) if one else ""
