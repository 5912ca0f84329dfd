"""What people see in their editor, from the language server that it runs."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from language_server import ROOT, SERVER, LanguageServer, serving

from policy.schema import files

pytestmark = pytest.mark.editor

BROKEN = ROOT / "tests/policy/broken"
GOOD = ROOT / "tests/policy/good.yaml"
HEAD = "apiVersion: gridwright.dev/v1alpha1\n"
POOL = f"{HEAD}kind: Pool\nmetadata: {{name: edge-lyon}}\nspec:\n  "
SERVICE = f"{HEAD}kind: Service\nmetadata: {{name: receipt-ocr}}\nspec:\n  "


@pytest.fixture(scope="module")
def editor() -> Iterator[LanguageServer]:
    if not SERVER.is_file():
        pytest.skip("the language server is not here: `make test` installs it")
    with serving(Path(files.__file__).with_name(files.SCHEMA)) as server:
        yield server


def test_nothing_is_told_against_good_documents(editor: LanguageServer) -> None:
    folders = ("embedded", "environments", "organisation")
    for file in (GOOD, *(file for name in folders for file in (ROOT / "examples" / name).glob("*.yaml"))):
        assert editor.diagnostics(file.name, file.read_text()) == []


@pytest.mark.parametrize(
    ("name", "line", "told"),
    [
        ("wrong_units", 4, "expected a number that is not negative, with MiB or GiB or TiB or KiB, such as 24GiB"),
        ("wrong_units", 19, "Value is above the maximum of 99.99."),
        ("unknown_fields", 7, "Property fanOut is not allowed."),
        ("unknown_words", 4, 'Value is not accepted. Valid values: "on-demand", "reserved", "spot", "owned".'),
        ("missing_fields", 8, 'Missing property "below".'),
        ("choices", 9, "Matches multiple schemas when only one must validate."),
        ("choices", 26, "Matches a schema that is not allowed."),
        ("wrong_types", 9, 'Incorrect type. Expected "integer | object".'),
    ],
)
def test_what_is_wrong_is_told_at_its_line(editor: LanguageServer, name: str, line: int, told: str) -> None:
    text = (BROKEN / f"{name}.yaml").read_text()
    assert (line, told) in editor.diagnostics(f"{name}.yaml", text)


def test_the_page_s_words_are_shown_over_a_field(editor: LanguageServer) -> None:
    shown = editor.hover("shown.yaml", GOOD.read_text(), "jurisdictions")
    assert "all that the site lies in, such as FR and EU" in shown


def test_kinds_and_the_fields_of_a_kind_are_offered(editor: LanguageServer) -> None:
    assert "ScalingPolicy" in editor.completions("kind.yaml", f"{HEAD}kind: ")
    offered = editor.completions("pool.yaml", POOL)
    assert {"site", "device", "nodes", "memory", "share", "price", "purchase"} <= {*offered}
    assert "origins" not in offered


@pytest.mark.parametrize(
    ("name", "text", "offered"),
    [
        ("word", f"{POOL}purchase: ", {"on-demand", "reserved", "spot", "owned"}),
        ("choice", f"{SERVICE}objectives:\n    - ", {"latency", "availability", "accuracy"}),
        ("inside", f"{SERVICE}objectives:\n    - latency:\n        ", {"percentile", "below", "window"}),
        ("quantity", f"{SERVICE}objectives:\n    - latency:\n        below: ", {"250ms"}),
    ],
)
def test_what_may_stand_at_a_place_is_offered(editor: LanguageServer, name: str, text: str, offered: set[str]) -> None:
    assert offered <= {*editor.completions(f"{name}.yaml", text)}


def test_a_variable_may_stand_for_a_value_with_nothing_beside_it(editor: LanguageServer) -> None:
    fields = "site: {var: site}\n  nodes: {vat: nodes}\n  device: card\n  memory: {var: room, more: 1}\n  price: $1/h\n"
    told = editor.diagnostics("variable.yaml", POOL + fields)
    assert told == [(6, 'Incorrect type. Expected "integer".'), (8, "Property more is not allowed.")]
