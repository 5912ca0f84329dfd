"""The rule files, the catalogue, the examples and the documentation are the same set."""

import importlib
import re
from pathlib import Path

from rules.catalogue import RULES
from rules.kernel.rule import Rule
from tests.rules.build import NOTHING

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")


def finding_id(rule: Rule) -> str:
    examples = importlib.import_module(f"tests.rules.examples.{rule.id}").EXAMPLES
    return rule.explain(examples[0].violation).id


def test_rule_files_catalogue_and_examples_are_the_same_set() -> None:
    ids = {rule.id for rule in RULES}
    assert {path.stem for path in (ROOT / "rules").glob("*.py")} - {"__init__", "catalogue"} == ids
    assert {path.stem for path in (ROOT / "tests" / "rules" / "examples").glob("*.py")} == ids
    assert all(type(rule).__module__ == f"rules.{rule.id}" for rule in RULES)


def test_ids_are_given_once() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
    assert len({finding_id(rule) for rule in RULES}) == len(RULES)
    assert all(re.fullmatch(r"GW10\d\d", finding_id(rule)) for rule in RULES)


def test_the_documentation_has_a_row_for_each_rule_with_its_moment_and_finding() -> None:
    rows = re.findall(r"^\| `(\w+)` \|.*\| (always|settled) \| (GW\d+) \|$", DOCUMENT, flags=re.MULTILINE)
    assert rows == [(rule.id, "always" if rule.always else "settled", finding_id(rule)) for rule in RULES]


def test_what_was_promised_for_the_way_between_two_plans_is_marked_so() -> None:
    settled = {rule.id for rule in RULES if not rule.always}
    assert settled == {
        "allocated_cost",
        "availability",
        "budget",
        "capacity",
        "churn",
        "device_share",
        "gathering",
        "latency",
        "preemption",
        "replica_bounds",
        "spares",
        "standing",
        "survival",
        "together",
        "unit_cost",
        "wake_up",
    }


def test_an_empty_problem_asks_nothing_but_that_plans_make_sense() -> None:
    assert [rule.id for rule in RULES if rule.applies(NOTHING)] == ["served"]
