"""Formatting orders and lays out, and changes nothing that anybody said."""

from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from policy.documents import API_VERSION, KINDS
from policy.formatting.document import formatted
from policy.formatting.keys import Keys, keys_of_kind
from policy.formatting.meaning import comments, same
from policy.parse import parse
from policy.source import load_documents

ROOT = Path(__file__).parents[2]
FILES = sorted([*(ROOT / "examples/embedded").glob("*.yaml"), *(ROOT / "tests/policy").rglob("*.yaml")])
TEXTS = [file.read_text() for file in FILES]


def test_keys_come_in_the_order_of_the_language_and_comments_go_with_them() -> None:
    written = dedent("""\
        # The receipts.
        kind: Service   # what
        # the frame
        apiVersion: gridwright.dev/v1alpha1
        spec:
            # how much it matters
            priority: 3   # three
            demand: {rate: 2 req/s}

            # where from
            origins: [{share: 100%, site: edge-paris}]
            stages:
            - model: reader   # the model
              # what it is called
              name: read
            - model: finder
              name: find
            objectives:
              - latency:
                  # the limit
                  below: 300ms
                  percentile: 99
        metadata: {labels: {b: x, a: y}, name: receipt-ocr}
        # the end
        """)
    assert formatted(written) == dedent("""\
        # The receipts.
        # the frame
        apiVersion: gridwright.dev/v1alpha1
        kind: Service   # what
        metadata: {name: receipt-ocr, labels: {b: x, a: y}}
        spec:
          # where from
          origins: [{site: edge-paris, share: 100%}]
          stages:
            - model: reader   # the model
              # what it is called
              name: read
            - name: find
              model: finder
          demand: {rate: 2 req/s}
          objectives:
            - latency:
                percentile: 99
                # the limit
                below: 300ms
          # how much it matters
          priority: 3     # three
        # the end
        """)


@pytest.mark.parametrize("kind", KINDS)
def test_the_keys_of_a_kind_are_the_frame_and_its_parts(kind: str) -> None:
    assert [*keys_of_kind(kind).inside] == ["apiVersion", "kind", "metadata", "spec"]
    assert [*keys_of_kind(kind).under("metadata").inside] == ["name", "labels"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a: [1,   2]\n",
        "kind: Site\napiVersion: v1\n",
        "kind: ConfigMap\napiVersion: gridwright.dev/v1alpha1\n",
        "kind: Site\napiVersion: gridwright.dev/v1alpha1\n---\njust:   text\n",
        "kind: Site\napiVersion: gridwright.dev/v1alpha1\nspec: {a: 1, a: 2}\n",
        "kind: Site\napiVersion: gridwright.dev/v1alpha1\nspec: [\n",
        "kind: &a Site\napiVersion: gridwright.dev/v1alpha1\n",
    ],
)
def test_what_is_no_policy_document_is_left_as_it_is(text: str) -> None:
    assert formatted(text) == text


@pytest.mark.parametrize("text", TEXTS, ids=[file.name for file in FILES])
def test_every_document_of_this_repository_keeps_what_it_says(text: str) -> None:
    after = formatted(text)
    assert after == text or same(after, text)
    assert formatted(after) == after


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a: 4.1\n", "a: 4.10\n"),
        ("a: 4\n", "a: '4'\n"),
        ("a:\n", "a: ''\n"),
        ("a: 1 # b\n", "a: 1\n"),
        ("a: 1 # b\n# b\n", "a: 1 # b\n"),
        ("a: [1, 2]\n", "a: [2, 1]\n"),
        ("a: 1\n---\nb: 1\n", "b: 1\n---\na: 1\n"),
        ("a: 1\n", "a: [\n"),
    ],
)
def test_texts_that_say_different_things_are_not_the_same(one: str, other: str) -> None:
    assert not same(one, other)


def test_a_number_sign_in_a_text_is_no_comment() -> None:
    assert comments("a: 'x # y'  # z\nb: x#y\n") == {"# z": 1}


DOCUMENTS = [each for text in TEXTS for each in parse("", text).documents if isinstance(each.data, dict)]
GOOD = [each for each in DOCUMENTS if each.data.get("kind") in KINDS and each.data["apiVersion"] == API_VERSION]
REMARKS = st.sampled_from(["# why", "# see the runbook: it has { and [", "#short", "# 'quoted'"])


def shuffled(value: Any, data: st.DataObject) -> Any:
    if isinstance(value, dict):
        keys = data.draw(st.permutations(list(value)))
        return {key: shuffled(value[key], data) for key in keys}
    return [shuffled(each, data) for each in value] if isinstance(value, list) else value


def plain(value: Any) -> Any:
    """As PyYAML writes it: numbers with a point as texts, which they need not be for this."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    return value if isinstance(value, (str, int, bool, type(None))) else str(value)


def remarked(text: str, data: st.DataObject) -> str:
    """The text with comments at the ends of some lines, and lines of comments and blank lines between some."""
    lines: list[str] = []
    for line in text.splitlines():
        if data.draw(st.integers(0, 3)) == 0:
            indent = data.draw(st.sampled_from(["", "  ", "    ", " " * (len(line) - len(line.lstrip()))]))
            lines.append(data.draw(st.sampled_from([f"{indent}{data.draw(REMARKS)}", ""])))
        end = f"  {data.draw(REMARKS)}" if data.draw(st.integers(0, 4)) == 0 else ""
        lines.append(f"{line}{end}")
    return "\n".join(lines) + "\n"


@settings(max_examples=100)
@given(st.data())
def test_any_way_of_writing_becomes_one_that_says_the_same_and_stays(data: st.DataObject) -> None:
    document = plain(shuffled(data.draw(st.sampled_from(GOOD)).data, data))
    width, indent = data.draw(st.sampled_from([40, 80, 1000])), data.draw(st.integers(2, 5))
    flow = data.draw(st.sampled_from([True, False, None]))
    text = yaml.safe_dump(document, default_flow_style=flow, width=width, indent=indent, sort_keys=False)
    text = remarked(text, data)
    if not parse("", text).documents or comments(text) == {}:
        return
    after = formatted(text)
    assert same(after, text)
    assert formatted(after) == after


def out_of_order(value: Any, keys: Keys) -> list[list[str]]:
    """The keys of each mapping, however deep, that are not as declared."""
    if isinstance(value, list):
        return [each for item in value for each in out_of_order(item, keys)]
    if not isinstance(value, dict):
        return []
    wrong = [] if [*value] == sorted(value, key=keys.rank) else [[*value]]
    return wrong + [each for key, inner in value.items() for each in out_of_order(inner, keys.under(key))]


@settings(max_examples=100)
@given(st.sampled_from(GOOD), st.data())
def test_keys_in_any_order_come_in_the_one_that_is_declared(whole: Any, data: st.DataObject) -> None:
    document = plain(shuffled(whole.data, data))
    flow, width = data.draw(st.sampled_from([True, False, None])), data.draw(st.sampled_from([40, 1000]))
    after = formatted(yaml.safe_dump(document, default_flow_style=flow, width=width, sort_keys=False))
    (found,) = parse("", after).documents
    assert out_of_order(found.data, keys_of_kind(document["kind"])) == []


def test_a_policy_is_the_same_after_it_was_formatted() -> None:
    texts = [(file.name, file.read_text()) for file in FILES if file.parent.name == "embedded"]
    before, after = (
        load_documents(texts).policy,
        load_documents([(name, formatted(text)) for name, text in texts]).policy,
    )
    assert before is not None
    assert after is not None
    assert (before.services, before.pools, before.links) == (after.services, after.pools, after.links)


@settings(max_examples=80)
@given(st.sampled_from(TEXTS), st.data())
def test_garbled_text_is_formatted_or_left_as_it_is(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    stop = data.draw(st.integers(start, min(len(text), start + 10)))
    more = st.text(st.sampled_from("#-:{}[],|>?%'\"\n\r\t &*!a1\u2028\x85"), max_size=8)
    garbled = text[:start] + data.draw(more) + text[stop:]
    after = formatted(garbled)
    assert after == garbled or same(after, garbled)
    assert formatted(after) == after


@pytest.mark.parametrize("kind", ["[Site]", "{Site: 1}", "1", "null"])
def test_a_kind_that_is_no_word_is_left_as_it_is(kind: str) -> None:
    text = f"kind: {kind}\napiVersion: {API_VERSION}\n"
    assert formatted(text) == text


def test_a_mapping_that_only_the_layout_takes_for_a_key_is_left_as_it_is() -> None:
    text = f"apiVersion: {API_VERSION}\nkind: Site\n?\x85metadata: {{name: lyon}}\nspec: {{jurisdictions: [FR]}}\n"
    assert formatted(text) == text
