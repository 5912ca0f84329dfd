"""OpenSLO documents of a file: each on its own, also where a file holds a list of them."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from policy.documents.base import Spec
from policy.openslo.alerts import AlertConditionSpec, AlertNotificationTargetSpec, AlertPolicySpec
from policy.openslo.indicators import DataSourceSpec, SliSpec
from policy.openslo.objectives import ServiceSpec, SloSpec
from policy.openslo.parts import API_VERSION, Metadata
from policy.parse import Document
from policy.validate import Language

KINDS: Final[Mapping[str, type[Spec]]] = MappingProxyType(
    {
        "SLO": SloSpec,
        "SLI": SliSpec,
        "DataSource": DataSourceSpec,
        "Service": ServiceSpec,
        "AlertPolicy": AlertPolicySpec,
        "AlertCondition": AlertConditionSpec,
        "AlertNotificationTarget": AlertNotificationTargetSpec,
    }
)
OPENSLO: Final = Language(API_VERSION, KINDS, Metadata, "docs/openslo.md")
_PREFIX: Final = "openslo/"


def is_openslo(document: Document) -> bool:
    """Whether the document says that it is of OpenSLO, in whatever version."""
    data = document.data
    return isinstance(data, dict) and str(data.get("apiVersion")).startswith(_PREFIX)


def taken_apart(document: Document) -> Iterator[Document]:
    """The documents of a list of OpenSLO documents, each with its own places; else the document as it is."""
    parts = document.entries()
    if parts and all(is_openslo(part) for part in parts):
        yield from parts
    else:
        yield document
