"""What is known of the objects of one resource: as it was listed, and as each event of a watch changes it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Generic, NamedTuple, TypeVar

from controller.cluster.api_server.calls import Object
from controller.cluster.api_server.errors import CallError, refused
from controller.cluster.api_server.resources import Resource

Kept = TypeVar("Kept")

MOST_OBJECTS: Final = 50_000


class Name(NamedTuple):
    """What an object is called; `namespace` is empty where there is none."""

    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Watched(Generic[Kept]):
    """A resource, which of its objects are meant, and what is kept of each: nothing where that is None.

    `labels` and `fields` are selectors as `kubectl` takes them. Only what is kept takes memory, and only when that
    changes has anything changed.
    """

    resource: Resource
    keep: Callable[[Object], Kept | None]
    labels: str = ""
    fields: str = ""

    def query(self) -> dict[str, str | int]:
        """The selectors, as the API server takes them."""
        both = {"labelSelector": self.labels, "fieldSelector": self.fields}
        return {key: value for key, value in both.items() if value}

    def kept(self, items: Iterable[Object]) -> dict[Name, Kept]:
        """What is kept of objects."""
        pairs = ((_name(item), self.keep(item)) for item in items)
        return {name: kept for name, kept in pairs if kept is not None}


class Store(Generic[Kept]):
    """The objects, as of `version`; without one it has to be listed."""

    def __init__(self, watched: Watched[Kept]) -> None:
        self._watched = watched
        self._objects: dict[Name, Kept] = {}
        self.version = ""

    @property
    def objects(self) -> MappingProxyType[Name, Kept]:
        """What is kept of each object, now and as it changes."""
        return MappingProxyType(self._objects)

    def become(self, objects: dict[Name, Kept], version: str) -> bool:
        """Take a whole listing. Returns whether anything changed."""
        changed = objects != self._objects
        self._objects, self.version = objects, version
        return changed

    def take(self, event: Object) -> bool:
        """Take an event of a watch. Returns whether anything changed.

        Raises GoneError when the version is known no longer, and CallError for whatever else ends a watch.
        """
        kind, item = event.get("type"), event.get("object")
        if kind == "ERROR" or not isinstance(item, Mapping):
            told: Any = item if isinstance(item, Mapping) else {}
            raise refused(f"WATCH {self._watched.resource.path()}", int(told.get("code") or 500), told)
        self.version = item["metadata"]["resourceVersion"]
        if kind == "BOOKMARK":
            return False
        name = _name(item)
        kept = None if kind == "DELETED" else self._watched.keep(item)
        if kept is None:
            return self._objects.pop(name, None) is not None
        before = self._objects.get(name)
        if before is None and len(self._objects) >= MOST_OBJECTS:
            raise too_many(self._watched.resource)
        self._objects[name] = kept
        return before != kept


def too_many(resource: Resource) -> CallError:
    """There is more than is kept."""
    return CallError(f"there are more than {MOST_OBJECTS} {resource.plural}", "part them between controllers")


def _name(item: Object) -> Name:
    return Name(item["metadata"].get("namespace", ""), item["metadata"]["name"])
