"""Custom resources as documents, and findings in documents as findings in custom resources."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from policy.findings import Finding, Place
from policy.parse import Path as Field
from policy.parse import parse

_SUFFIX: Final = ".yaml"
_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*")


def documents(resources: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """The (name, text) of each custom resource, without what Kubernetes adds: `Pool/edge.yaml`.

    The text has every value at a place of its own, so that a place tells the field.
    """
    for resource in resources:
        name = f"{resource['kind']}/{resource['metadata']['name']}{_SUFFIX}"
        yield name, json.dumps(_written(resource), indent=2, ensure_ascii=False) + "\n"


def _written(resource: Mapping[str, Any]) -> Mapping[str, Any]:
    metadata = {key: resource["metadata"][key] for key in ("name", "labels") if key in resource["metadata"]}
    frame = {"apiVersion": resource["apiVersion"], "kind": resource["kind"], "metadata": metadata}
    return {**frame, "spec": resource["spec"]}


def write(resources: Iterable[Mapping[str, Any]], folder: Path) -> None:
    """Write the documents of custom resources into a folder."""
    for name, text in documents(resources):
        file = folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")


def by_field(findings: Iterable[Finding], folder: Path) -> tuple[Finding, ...]:
    """Findings with the resource and its field in their message instead of a place: `Pool/edge .spec.site: …`."""
    return tuple(_told(finding, finding.place, folder) if finding.place else finding for finding in findings)


def _told(finding: Finding, place: Place, folder: Path) -> Finding:
    file = folder / place.file
    if not file.is_file():
        return finding
    field = field_at(place, file.read_text(encoding="utf-8"))
    where = f"{place.file.removesuffix(_SUFFIX)} {field}".rstrip()
    return replace(finding, place=None, message=f"{where}: {finding.message}")


def field_at(place: Place, text: str) -> str:
    """The field at a place in the document that a custom resource is written out as; empty for the whole of it."""
    read = parse(place.file, text).documents
    fields = {position: path for each in read for path, position in (*each.keys.items(), *each.values.items())}
    return written(fields.get((place.line, place.column), ()))


def written(field: Field) -> str:
    """A field as `kubectl` writes one: `.spec.stages[0].model`. Empty for the whole resource."""
    return "".join(map(_step, field))


def _step(step: str | int) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    return f".{step}" if _PLAIN.fullmatch(step) else f"['{step}']"
