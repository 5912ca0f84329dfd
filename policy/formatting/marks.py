"""Where things stand in a text, as offsets of characters."""

from typing import NamedTuple

import yaml


class Entry(NamedTuple):
    """A key of a mapping and its value."""

    key: yaml.Node
    value: yaml.Node


class Edit(NamedTuple):
    """What replaces a part of a text."""

    start: int
    end: int
    text: str


def begin(node: yaml.Node) -> int:
    """The first character of a value."""
    return int(node.start_mark.index)


def end(node: yaml.Node) -> int:
    """Behind the last character of a value; a block's own mark lies behind the comments that follow it."""
    if isinstance(node, yaml.CollectionNode) and node.value and not node.flow_style:
        last = node.value[-1]
        return end(last[1] if isinstance(node, yaml.MappingNode) else last)
    return int(node.end_mark.index)


def line_start(text: str, at: int) -> int:
    """Where the line of a character begins."""
    return text.rfind("\n", 0, at) + 1


def line_end(text: str, at: int) -> int:
    """Where the line of a character ends, before its line break."""
    found = text.find("\n", at)
    return len(text) if found < 0 else found


def has_block_scalar(node: yaml.Node) -> bool:
    """Whether a text that runs over lines by indentation stands in it: such a one has no certain end."""
    if isinstance(node, yaml.ScalarNode):
        return node.style in {"|", ">"}
    inner = node.value if isinstance(node, yaml.SequenceNode) else [each for pair in node.value for each in pair]
    return any(has_block_scalar(each) for each in inner)
