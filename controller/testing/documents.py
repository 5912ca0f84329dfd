"""The documents of a policy with some added and some taken out, checked anew as a whole."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from policy.checks.references import references
from policy.read_file import ReadFile, identity, read_file
from policy.resolved import Policy
from policy.source import Loaded, loaded


@dataclass(frozen=True, slots=True)
class Text:
    """A file, and those of its documents, by kind and name, that are not there any more."""

    name: str
    text: str
    gone: frozenset[tuple[str, str]] = frozenset()


def texts_of(policy: Policy) -> tuple[Text, ...]:
    """The files that a policy was made from."""
    return tuple(Text(name, text) for name, text in policy.documents)


def with_text(texts: tuple[Text, ...], name: str, text: str) -> tuple[Text, ...]:
    """One file more."""
    return (*texts, Text(name, text))


def without_document(texts: tuple[Text, ...], kind: str, name: str) -> tuple[Text, ...]:
    """A document less, whichever file it is in; files that are added later may have it again."""
    return tuple(replace(text, gone=text.gone | {(kind, name)}) for text in texts)


def policy_of(texts: tuple[Text, ...]) -> Loaded:
    """The policy of what is left. Never raises for what the texts hold."""
    gone: Mapping[str, frozenset[tuple[str, str]]] = {text.name: text.gone for text in texts}
    pairs = [(text.name, text.text) for text in texts]
    return loaded(pairs, (), lambda name, text: _without(read_file(name, text), gone[name]))


def _without(file: ReadFile, gone: frozenset[tuple[str, str]]) -> ReadFile:
    declared = tuple(pair for pair in file.declared if (pair[0].kind, pair[0].name) not in gone)
    referred = tuple(each for valid, _ in declared for each in references(valid))
    waiting = tuple(pair for pair in file.waiting if identity(pair[0]) not in gone)
    return replace(file, declared=declared, referred=referred, waiting=waiting)
