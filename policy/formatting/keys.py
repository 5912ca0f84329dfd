"""The order of keys in a document: as its frame and the parts of its kind declare them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from policy.documents import KINDS
from policy.documents.base import Metadata, Spec
from policy.documents.shape import fields, part_in


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of a part in their order, each with those inside it; none where people choose them."""

    inside: Mapping[str, "Keys"] = field(default_factory=dict)

    def rank(self, key: str) -> int:
        """Where a key comes; those that are not declared come last, as they stand."""
        return next((at for at, each in enumerate(self.inside) if each == key), len(self.inside))

    def under(self, key: str) -> "Keys":
        """The keys of what a key leads to."""
        return self.inside.get(key, Keys())


@cache
def keys_of_kind(kind: str) -> Keys:
    """The keys of a whole document."""
    frame = {"apiVersion": Keys(), "kind": Keys(), "metadata": _keys(Metadata), "spec": _keys(KINDS[kind])}
    return Keys(frame)


def _keys(part: type[Spec]) -> Keys:
    inner = {name: part_in(info.annotation) for name, info in fields(part).items()}
    return Keys({name: _keys(each) if each and issubclass(each, Spec) else Keys() for name, each in inner.items()})
