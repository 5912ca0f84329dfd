"""Whatever becomes of a good text, reading it gives a policy or errors with a place, and never raises."""

from pathlib import Path

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from policy.findings import Level
from policy.source import Loaded, load_documents

EXAMPLE = Path(__file__).parents[2] / "examples" / "embedded"
BESIDE = Path(__file__).parent / "openslo_beside.yaml"
TEXTS = [(file.name, file.read_text()) for file in (*sorted(EXAMPLE.glob("*.yaml")), BESIDE)]
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(),
    st.text(max_size=30),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3),
)


def judged(loaded: Loaded) -> None:
    errors = [finding for finding in loaded.findings if finding.level is Level.ERROR]
    assert (loaded.policy is None) == bool(errors)
    for finding in errors:
        assert finding.place is not None
        assert finding.place.line >= 1
        assert finding.place.column >= 1
        assert finding.message
        assert finding.hint


def paths_in(value: object, here: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    children: list[tuple[object, object]] = []
    if isinstance(value, dict):
        children = list(value.items())
    if isinstance(value, list):
        children = list(enumerate(value))
    return [here, *(path for key, child in children for path in paths_in(child, (*here, key)))]


def changed(document: object, path: tuple[object, ...], new: object) -> object:
    if not path:
        return new
    copy = dict(document) if isinstance(document, dict) else list(document)  # type: ignore[call-overload]
    copy[path[0]] = changed(copy[path[0]], path[1:], new)
    return copy


@settings(max_examples=150)
@given(st.data())
def test_an_odd_value_anywhere_is_a_finding_or_means_something(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(TEXTS) - 1))
    documents = list(yaml.safe_load_all(TEXTS[at][1]))
    which = data.draw(st.integers(0, len(documents) - 1))
    path = data.draw(st.sampled_from(paths_in(documents[which])))
    documents[which] = changed(documents[which], path, data.draw(ODD))
    text = yaml.safe_dump_all(documents, allow_unicode=True, sort_keys=False)
    judged(load_documents([*TEXTS[:at], (TEXTS[at][0], text), *TEXTS[at + 1 :]]))


@settings(max_examples=150)
@given(st.data())
def test_an_odd_value_anywhere_in_openslo_is_a_finding_or_means_something(data: st.DataObject) -> None:
    documents = list(yaml.safe_load_all(BESIDE.read_text()))
    which = data.draw(st.integers(0, len(documents) - 1))
    path = data.draw(st.sampled_from(paths_in(documents[which])))
    documents[which] = changed(documents[which], path, data.draw(ODD))
    text = yaml.safe_dump_all(documents, allow_unicode=True, sort_keys=False)
    judged(load_documents([*TEXTS[:-1], (BESIDE.name, text)]))


@settings(max_examples=150)
@given(st.data())
def test_garbled_text_is_a_finding_or_means_something(data: st.DataObject) -> None:
    name, text = data.draw(st.sampled_from(TEXTS))
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 40)))
    garbled = text[:start] + data.draw(st.text(max_size=20)) + text[end:]
    judged(load_documents([item if item[0] != name else (name, garbled) for item in TEXTS]))


@settings(max_examples=20)
@given(st.permutations(TEXTS))
def test_the_order_of_the_files_does_not_matter(texts: list[tuple[str, str]]) -> None:
    straight, turned = load_documents(TEXTS).policy, load_documents(texts).policy
    assert straight is not None
    assert turned is not None
    assert straight.revision == turned.revision
    assert straight.services == turned.services
    assert straight.pools == turned.pools
