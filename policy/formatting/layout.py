"""Indentation and spaces, by ruamel.yaml: two columns a level, lists further in than their key, no line broken."""

from io import StringIO
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.resolver import VersionedResolver
from ruamel.yaml.tag import Tag

from policy.formatting.alignment import aligned

UNBROKEN: Final = 1_000_000
"""Columns. Where a line is broken is the writer's choice."""


class _AsWritten(VersionedResolver):
    """Takes no plain text for a number or a truth value, so that each is written as it was read."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        if kind is ScalarNode and implicit[0]:
            return Tag(suffix="tag:yaml.org,2002:str" if value else "tag:yaml.org,2002:null")
        return super().resolve(kind, value, implicit)


def laid_out(text: str) -> str:
    """The text in the common layout. Raises ruamel's YAMLError; comments in odd places may be gone."""
    yaml = YAML()
    yaml.Resolver = _AsWritten
    yaml.preserve_quotes = True
    yaml.width = UNBROKEN
    yaml.indent(mapping=2, sequence=4, offset=2)
    written = StringIO()
    yaml.dump_all(list(yaml.load_all(text)), written)
    return aligned(text, written.getvalue())
