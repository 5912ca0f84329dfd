"""The schema and the reader take the same documents, as far as a schema can say what the reader asks."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from policy.parse import Document, parse
from policy.schema.files import kept
from policy.validate import validate
from policy.variables import uses

ROOT = Path(__file__).parents[2]
# Policies are in folders; beside them stand documents of connections.
EXAMPLES = sorted(each for each in (ROOT / "examples").glob("*/**/*.yaml") if "evidence" not in each.parts)
BROKEN = sorted((ROOT / "tests/policy/broken").glob("*.yaml"))
GOOD = [*EXAMPLES, ROOT / "tests/policy/good.yaml"]
VALIDATOR = Draft7Validator(kept())

POINTED_AT_ELSEWHERE = {
    "choices.yaml:12:7": "at `use`, not at the step",
    "names.yaml:10:38": "at the labels, not at the name of one",
}
CANNOT_SAY = {
    "attestations_odd.yaml:23:16": "that one value needs another stands in a validator",
    "attestations_odd.yaml:29:22": "that one of several fields is given, none of which is required",
    "choices.yaml:18:7": "that one of several fields is given, none of which is required, stands in a validator",
    "choices.yaml:31:19": "that at most one of several fields is given stands in a validator",
    "placement_of_nothing.yaml:12:14": "that one of several fields is given, none of which is required",
    "placement_of_nothing.yaml:21:3": "that one of several fields is given, none of which is required",
    "windows.yaml:5:7": "instants cannot be compared",
    "windows.yaml:10:7": "instants cannot be compared",
    "windows.yaml:15:7": "that one of several fields is given, none of which is required",
    "scopes.yaml:6:19": "that one of several fields is given, none of which is required, stands in a validator",
    "tiers.yaml:49:15": "that one of several fields is given, none of which is required, stands in a validator",
    "issuers.yaml:20:3": "that a key has a name where there are several stands in a validator",
    "issuers.yaml:35:11": "that one of three fields is given, none of which is required, stands in a validator",
    "models_odd.yaml:11:11": "that one of two fields is given, neither of which is required, stands in a validator",
    "models_odd.yaml:25:10": "that one value needs another stands in a validator",
    "issuers.yaml:73:3": "that one of two fields is given stands in a validator",
    "issuers.yaml:79:3": "that one field needs another stands in a validator",
    "nonces_odd.yaml:5:3": "that one field names what another does stands in a validator",
    "nonces_odd.yaml:15:3": "entries of a list cannot be compared",
    "tests.yaml:57:25": "that one of two fields is given, neither of which is required, stands in a validator",
    "tests.yaml:59:19": "that a field asks for another one stands in a validator",
    "tests.yaml:62:21": "that one of two lists is given stands in a validator",
    "encodings_odd.yaml:19:11": "entries of a list cannot be compared",
    "choices.yaml:25:55": "entries of a list cannot be compared",
    "choices.yaml:26:55": "entries of a list cannot be compared",
    "first_responses.yaml:21:22": "entries of a list cannot be compared",
    "wrong_units.yaml:17:18": "which multiples of a sixth are whole is no pattern of bearable length",
}
"""What only the reader refuses, by file, line and column, and why."""


def as_json(value: Any) -> Any:
    """What an editor makes of a value that was parsed."""
    if isinstance(value, dict):
        return {key: as_json(each) for key, each in value.items()}
    if isinstance(value, list):
        return [as_json(each) for each in value]
    return float(value) if isinstance(value, Decimal) else value


def documents(file: Path) -> tuple[Document, ...]:
    return parse(file.name, file.read_text()).documents


def fixed(file: Path) -> tuple[Document, ...]:
    """The documents without variables: the reader puts values in their place before it judges."""
    return tuple(each for each in documents(file) if not uses(each))


def told(document: Document) -> list[str]:
    return [
        f"{'.'.join(map(str, each.path))}: {each.message}" for each in VALIDATOR.iter_errors(as_json(document.data))
    ]


def test_the_schema_is_one() -> None:
    Draft7Validator.check_schema(kept())


@pytest.mark.parametrize("file", GOOD, ids=lambda file: file.name)
def test_a_good_document_is_good_to_the_schema(file: Path) -> None:
    assert [each for document in documents(file) for each in told(document)] == []


@pytest.mark.parametrize("file", BROKEN, ids=lambda file: file.stem)
def test_a_document_is_refused_by_both_or_by_neither(file: Path) -> None:
    for document in fixed(file):
        wrong = {str(each.place) for each in validate(document)[1]}
        assert bool(told(document)) == bool(wrong - CANNOT_SAY.keys()), document.place()


def test_the_schema_points_at_every_value_that_the_reader_refuses() -> None:
    wrong, seen = set(), set()
    for document in (each for file in BROKEN for each in fixed(file)):
        wrong |= {str(each.place) for each in validate(document)[1] if each.id == "GW0204"}
        seen |= {str(document.place(*each.absolute_path)) for each in VALIDATOR.iter_errors(as_json(document.data))}
    assert wrong - seen == CANNOT_SAY.keys() | POINTED_AT_ELSEWHERE.keys()


PAGES = [document for file in GOOD for document in documents(file)]
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 2_000),
    st.decimals(0, 200, places=2).map(float),
    st.text(max_size=12),
    st.builds("{}{}".format, st.decimals(0, 2_000, places=3), st.sampled_from(["ms", "%", "GiB", " req/s", "", "/h"])),
    st.just([]),
    st.just({}),
)


def paths_in(value: object, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    children = [*value.items()] if isinstance(value, dict) else [*enumerate(value)] if isinstance(value, list) else []
    return [here, *(path for key, child in children for path in paths_in(child, (*here, key)))]


def with_value(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = with_value(copy[path[0]], path[1:], new)
    return copy


@settings(max_examples=300)
@given(st.sampled_from(PAGES), st.data())
def test_whatever_the_reader_takes_the_schema_takes(page: Document, data: st.DataObject) -> None:
    spoilt = with_value(as_json(page.data), data.draw(st.sampled_from(paths_in(page.data))), data.draw(ODD))
    for document in parse("page.yaml", yaml.safe_dump(spoilt, allow_unicode=True)).documents:
        if validate(document)[0] is not None:
            assert told(document) == []


@settings(max_examples=300)
@given(st.sampled_from(PAGES), st.data())
def test_the_schema_takes_a_variable_where_the_reader_puts_a_value_in_its_place(
    page: Document, data: st.DataObject
) -> None:
    path = data.draw(st.sampled_from(paths_in(page.data)))
    varied = with_value(as_json(page.data), path, {"var": "x"})
    for document in parse("page.yaml", yaml.safe_dump(varied, allow_unicode=True)).documents:
        if validate(document)[0] is None:  # a mapping of people's own words may well have the word `var`
            taken = not told(document)
            assert taken == any(use.path == path for use in uses(document)), path
