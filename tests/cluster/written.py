"""Documents of files as the custom resources that people would write for them."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from policy.bundles import BUNDLES
from policy.documents import API_VERSION
from policy.folder import read_texts
from policy.parse import Document, parse
from policy.source import EVIDENCE
from policy.variables import uses
from tests.cluster.api_server import Manifest


def as_resource(value: Any) -> Any:
    """What people write for it into a custom resource: a number with a point stands in quotes there."""
    if isinstance(value, dict):
        return {key: as_resource(each) for key, each in value.items()}
    if isinstance(value, list):
        return [as_resource(each) for each in value]
    return str(value) if isinstance(value, Decimal) else value


def resources(name: str, text: str) -> Iterator[tuple[Document, Manifest]]:
    """The documents of a file that can be custom resources; one with variables cannot."""
    for document in parse(name, text).documents:
        data = document.data
        if isinstance(data, dict) and data.get("apiVersion") == API_VERSION and not uses(document):
            yield document, as_resource(data)


def files(folder: Path) -> list[tuple[str, str]]:
    """The names and texts of a policy's files. Bundles are files wherever the rest of a policy is."""
    return [pair for pair in read_texts(folder, skip=EVIDENCE)[0] if not pair[0].startswith(f"{BUNDLES}/")]
