"""A file of policy documents, formatted."""

from typing import Final

from ruamel.yaml.error import YAMLError

from policy.documents import API_VERSION, KINDS
from policy.findings import Level
from policy.formatting.layout import laid_out
from policy.formatting.meaning import same
from policy.formatting.order import ordered
from policy.parse import parse

_BOM: Final = "\ufeff"


def formatted(text: str) -> str:
    """The text as everybody writes it; as it is when it holds anything but policy documents that can be read.

    Each step is taken only when the text says the same after it, with every comment, and would not change once more.
    """
    text_without = text.removeprefix(_BOM)
    if not _is_policy(text_without):
        return text
    in_order = ordered(text_without)
    if not same(in_order, text_without) or ordered(in_order) != in_order:
        return text
    layout = _layout(in_order)
    if layout is None or layout == in_order or not same(layout, in_order):
        return in_order
    return layout if _layout(layout) == layout and ordered(layout) == layout else in_order


def _is_policy(text: str) -> bool:
    parsed = parse("", text)
    documents = [each.data for each in parsed.documents]
    return (
        bool(documents)
        and all(finding.level is not Level.ERROR for finding in parsed.findings)
        and all(isinstance(each, dict) and each.get("apiVersion") == API_VERSION for each in documents)
        and all(isinstance(each, dict) and each.get("kind") in tuple(KINDS) for each in documents)
    )


def _layout(text: str) -> str | None:
    try:
        return laid_out(text)
    except (YAMLError, TypeError):  # to ruamel.yaml U+0085 breaks no line, so a mapping may stand where a key does
        return None
