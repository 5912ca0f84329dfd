"""Fields that people wrote into a resource and that a later definition does not know.

The API server drops them from what it reads, silently. Who wrote which field is noted beside the object, and
that note stays: so a field that has a writer and no value was dropped. Of entries of lists there are no such notes, and
nothing is told of what was dropped in one.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

_FIELD: Final = "f:"


def dropped(resource: Mapping[str, Any]) -> tuple[str, ...]:
    """The fields of the spec as `kubectl` writes them, such as `.spec.altitude`, each once."""
    written = (
        each.get("fieldsV1", {}).get("f:spec", {})
        for each in resource["metadata"].get("managedFields", ())
        if not each.get("subresource")
    )
    return tuple(sorted({field for each in written for field in _missing(each, resource["spec"], ".spec")}))


def _missing(written: Mapping[str, Any], kept: Any, path: str) -> Iterator[str]:
    """Of the fields that were written below a path, the outermost ones that are not there."""
    if not isinstance(kept, dict):
        return
    for key, within in written.items():
        if key.startswith(_FIELD):
            name = key.removeprefix(_FIELD)
            if name in kept:
                yield from _missing(within, kept[name], f"{path}.{name}")
            else:
                yield f"{path}.{name}"
