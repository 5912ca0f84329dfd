"""Keys put in their order by moving text: whatever is not a key out of place stays as it was written."""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import yaml

from policy.formatting.block import block_edit
from policy.formatting.keys import Keys, keys_of_kind
from policy.formatting.marks import Edit, Entry, begin, end


class _Found(NamedTuple):
    """A mapping of a document, and the keys that belong there."""

    depth: int
    node: yaml.MappingNode
    keys: Keys


def ordered(text: str) -> str:
    """The text with the keys of every mapping in their order. A mapping that cannot be cut safely keeps its own.

    The innermost come first, so that each is cut where nothing inside it moves any more. Expects text that was parsed
    without an error into documents of known kinds.
    """
    depth = max((found.depth for found in _mappings(text)), default=0)
    for level in range(depth, -1, -1):
        edits = [edit for found in _mappings(text) if found.depth == level and (edit := _edit(text, found))]
        for edit in sorted(edits, reverse=True):
            text = f"{text[: edit.start]}{edit.text}{text[edit.end :]}"
    return text


def _mappings(text: str) -> Iterator[_Found]:
    for root in yaml.compose_all(text, Loader=yaml.CSafeLoader):
        if isinstance(root, yaml.MappingNode):
            kind = next(value.value for key, value in root.value if key.value == "kind")
            yield from _below(root, keys_of_kind(kind), 0)


def _below(node: yaml.Node, keys: Keys, depth: int) -> Iterator[_Found]:
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _below(item, keys, depth + 1)
    if isinstance(node, yaml.MappingNode):
        yield _Found(depth, node, keys)
        for key, value in node.value:
            yield from _below(value, keys.under(key.value), depth + 1)


def _edit(text: str, found: _Found) -> Edit | None:
    """What puts the mapping's keys in order; None when they are, or when that would not be safe."""
    entries = [Entry(key, value) for key, value in found.node.value]
    order = sorted(range(len(entries)), key=lambda at: found.keys.rank(entries[at].key.value))
    if order == sorted(order):
        return None
    if found.node.flow_style:
        return _flow_edit(text, entries, order)
    return block_edit(text, entries, order, is_root=found.depth == 0)


def _flow_edit(text: str, entries: list[Entry], order: list[int]) -> Edit | None:
    """Entries change places; what stands between them stays. With a comment there nothing is safe."""
    spans = [(begin(each.key), end(each.value)) for each in entries]
    between = [text[before[1] : after[0]] for before, after in pairwise(spans)]
    if any("#" in each for each in between):
        return None
    pieces = [text[slice(*spans[at])] for at in order]
    return Edit(
        spans[0][0],
        spans[-1][1],
        "".join(f"{piece}{gap}" for piece, gap in zip(pieces, [*between, ""], strict=True)),
    )
