"""Ways to spoil documents: what editors, merges and somebody with ill will make of a good text."""

import random
from collections.abc import Callable, Sequence
from typing import Final

import yaml

TOKENS: Final = (
    *("\t", "\n", "\r", "\x00", "\ufeff", "\u2028", "\x85", "\U0001f600", " ", "---\n", "...\n", "%YAML 1.2\n", "? "),
    *(": ", "- ", "&a ", "*a", "!!python/object:os.system ", "!t ", "<<: *a", "|", ">", "|2-\n", "'", '"', "#"),
    *("{", "}", "[", "]", ",", "@", "`", "null", "~", "true", "no", "0x1f", "1e999", "-0", "9" * 40, "1_000", ".inf"),
    *("2035-01-01", "9999h", "101%", "$-1", "{var: x}", "{var: {var: x}}", "kind: Site", "spec: {}"),
    *("[" * 60, "{a: " * 40, "a: " * 30),
)
"""What YAML, and the language, give a meaning."""
ODD: Final = (
    *(None, True, -1, 10**30, 0.5, "", "x" * 300, "EU\u0301"),
    *([], {}, [[[]]], {"": ""}, {"var": "x"}, ["a", "a"]),
)
MOST: Final = 4
"""Changes to one text."""

Change = Callable[[random.Random, str, Sequence[str]], str]


def put_in(dice: random.Random, text: str, _: Sequence[str]) -> str:
    """A token somewhere."""
    at = dice.randint(0, len(text))
    return text[:at] + dice.choice(TOKENS) + text[at:]


def taken_out(dice: random.Random, text: str, _: Sequence[str]) -> str:
    """A piece less."""
    at = dice.randint(0, len(text))
    return text[:at] + text[at + dice.choice((1, 1, 2, 8, 40)) :]


def said_twice(dice: random.Random, text: str, _: Sequence[str]) -> str:
    """A run of lines once more, elsewhere."""
    lines = text.splitlines(keepends=True)
    if not lines:
        return text
    start = dice.randrange(len(lines))
    piece, at = lines[start : start + dice.randint(1, 12)], dice.randint(0, len(lines))
    return "".join((*lines[:at], *piece, *lines[at:]))


def spliced(dice: random.Random, text: str, others: Sequence[str]) -> str:
    """One text up to somewhere, another from there on."""
    other = dice.choice(others)
    return text[: dice.randint(0, len(text))] + other[dice.randint(0, len(other)) :]


def shifted(dice: random.Random, text: str, _: Sequence[str]) -> str:
    """A line moved in or out."""
    lines = text.splitlines(keepends=True)
    if not lines:
        return text
    at = dice.randrange(len(lines))
    lines[at] = dice.choice(("  ", " ", "\t", "")) + lines[at].lstrip(" ")
    return "".join(lines)


def other_value(dice: random.Random, text: str, _: Sequence[str]) -> str:
    """An odd value in place of one of a document's; the text as it is where it is no YAML."""
    try:
        documents = list(yaml.load_all(text, yaml.CSafeLoader))
    except (yaml.YAMLError, ValueError, RecursionError):
        return text
    parts = [part for document in documents for part in _parts(document)]
    if not parts:
        return text
    part = dice.choice(parts)
    key = dice.choice(list(part)) if isinstance(part, dict) else dice.randrange(len(part))
    part[key] = dice.choice(ODD)
    return yaml.dump_all(documents, Dumper=yaml.CSafeDumper, allow_unicode=True)


def _parts(value: object) -> list[dict | list]:
    """Every mapping and list that is not empty, itself and inside."""
    inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    own = [value] if isinstance(value, dict | list) and value else []
    return [*own, *(part for each in inner for part in _parts(each))]


CHANGES: Final[tuple[Change, ...]] = (put_in, put_in, taken_out, said_twice, spliced, shifted, other_value)


def spoiled(dice: random.Random, texts: Sequence[str]) -> str:
    """One of the texts with some changes."""
    text = dice.choice(texts)
    for _ in range(dice.randint(1, MOST)):
        text = dice.choice(CHANGES)(dice, text, texts)
    return text
