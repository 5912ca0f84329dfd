"""Findings as other programs read them, each form held to its own rules."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from process import EXAMPLE, ROOT, gridwright

from controller.cli.findings_written.flat import flat
from controller.cli.findings_written.github import command
from controller.cli.findings_written.paths import seen_from
from controller.cli.findings_written.sarif import log
from policy.catalogue import TITLES
from policy.findings import Finding, Level, Place
from policy.source import load

BROKEN = ROOT / "tests" / "policy" / "broken"
HERE = Path("/srv/repository")
RESULT_LEVELS = {"none", "note", "warning", "error"}


def finding(message: str = "wrong", hint: str = "mend it", file: str = "a.yaml") -> Finding:
    return Finding("GW0204", Level.ERROR, message, hint, Place(file, 3, 7))


def all_of(folder: Path) -> tuple[Finding, ...]:
    """What a check of the folder tells."""
    loaded = load(folder)
    return (*loaded.findings, *loaded.of_tests)


def unescaped(text: str) -> str:
    for code, character in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, character)
    return text


def test_json_is_a_flat_list_of_findings() -> None:
    ran = gridwright("check", BROKEN, "--output", "json")
    told = all_of(BROKEN)
    assert ran.status == 1
    assert [tuple(item) for item in ran.json()] == [("id", "level", "file", "line", "column", "message", "hint")] * len(
        told
    )
    assert [(item["id"], item["message"]) for item in ran.json()] == [(each.id, each.message) for each in told]
    assert all(isinstance(value, str | int) for item in ran.json() for value in item.values())


def test_json_of_good_documents_is_an_empty_list() -> None:
    ran = gridwright("check", EXAMPLE, "--output", "json")
    assert (ran.status, ran.json()) == (0, [])


def test_json_of_a_finding_without_a_place_has_no_place() -> None:
    told = flat(Finding("GW0106", Level.WARNING, "wrong", "mend it"))
    assert (told.file, told.line, told.column, told.level) == (None, None, None, "warning")


def test_two_outputs_at_once_are_refused() -> None:
    ran = gridwright("check", EXAMPLE, "--json", "--output", "sarif")
    assert (ran.status, ran.out) == (1, "")
    assert "leave one of the two out" in ran.err


@pytest.mark.parametrize(
    ("folder", "file", "expected"),
    [
        (Path("policy"), "a/b.yaml", "policy/a/b.yaml"),
        (Path("./policy/../policy"), "a.yaml", "policy/a.yaml"),
        (Path("/srv/repository/policy"), "a.yaml", "policy/a.yaml"),
        (Path("policy"), ".", "policy"),
        (Path("../elsewhere"), "a.yaml", "/srv/elsewhere/a.yaml"),
    ],
)
def test_a_file_is_named_as_the_repository_names_it(folder: Path, file: str, expected: str) -> None:
    assert seen_from(HERE, folder, file).as_posix() == expected


def test_a_workflow_command_is_one_line_whatever_the_finding_holds() -> None:
    odd = finding("50% of\r\nit: ::error::", "a,b", "x:y,z%\n.yaml")
    told = command(odd, Path("policy"), HERE)
    assert told == (
        "::error file=policy/x%3Ay%2Cz%25%0A.yaml,line=3,col=7,title=GW0204%3A a value is not what its field takes"
        "::50%25 of%0D%0Ait: ::error:: (a,b)"
    )


@pytest.mark.parametrize(
    ("level", "word"), [(Level.ERROR, "error"), (Level.WARNING, "warning"), (Level.INFO, "notice")]
)
def test_a_level_has_the_word_that_the_runner_knows(level: Level, word: str) -> None:
    assert command(Finding("GW0106", level, "m", "h"), Path("policy"), HERE).startswith(f"::{word} title=GW0106%3A ")


def test_workflow_commands_read_back_as_the_findings() -> None:
    ran = gridwright("check", BROKEN, "--output", "github")
    form = re.compile(r"::(error|warning|notice) file=([^,]*),line=(\d+),col=(\d+),title=([^,]*)::(.*)")
    read = [form.fullmatch(line) for line in ran.out.splitlines()]
    told = all_of(BROKEN)
    assert ran.status == 1
    assert len(read) == len(told)
    for match, each in zip(read, told, strict=True):
        assert match is not None
        assert each.place is not None
        assert unescaped(match[2]) == str((BROKEN / each.place.file).relative_to(ROOT.parent))
        assert (int(match[3]), int(match[4])) == (each.place.line, each.place.column)
        assert unescaped(match[5]) == f"{each.id}: {TITLES[each.id]}"
        assert unescaped(match[6]) == f"{each.message} ({each.hint})"


def check_sarif(found: Any) -> list[dict[str, Any]]:
    """The results of a log, which is held to what SARIF 2.1.0 demands of the properties that are used here."""
    assert set(found) == {"$schema", "version", "runs"}
    assert found["version"] == "2.1.0"
    (run,) = found["runs"]
    assert set(run) == {"tool", "columnKind", "results"}
    assert run["columnKind"] in {"utf16CodeUnits", "unicodeCodePoints"}
    driver = run["tool"]["driver"]
    assert set(driver) == {"name", "version", "rules"}
    assert driver["name"]
    rules = driver["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    for rule in rules:
        assert set(rule) == {"id", "shortDescription", "help"}
        check_text(rule["shortDescription"])
        check_text(rule["help"])
    results: list[dict[str, Any]] = run["results"]
    for result in results:
        assert set(result) == {"ruleId", "ruleIndex", "level", "message", "locations"}
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in RESULT_LEVELS
        check_text(result["message"])
        (location,) = result["locations"]
        check_location(location["physicalLocation"])
    return results


def check_text(message: dict[str, Any]) -> None:
    """A message has a text, in which single braces would be placeholders."""
    assert set(message) == {"text"}
    assert message["text"]
    assert not re.search(r"[{}]", message["text"].replace("{{", "").replace("}}", ""))


def check_location(physical: dict[str, Any]) -> None:
    """A relative reference has a base and no scheme, an absolute one no base; a region counts from 1."""
    assert set(physical) == {"artifactLocation", "region"}
    artifact, region = physical["artifactLocation"], physical["region"]
    parts = urlsplit(artifact["uri"])
    assert re.fullmatch(r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-F]{2})+", artifact["uri"])
    assert bool(parts.scheme) != ("uriBaseId" in artifact)
    assert parts.scheme in {"", "file"}
    assert parts.scheme or not parts.path.startswith("/")
    assert set(region) == {"startLine", "startColumn"}
    assert all(isinstance(value, int) and value >= 1 for value in region.values())


def test_a_sarif_log_keeps_the_standard_and_tells_every_finding() -> None:
    ran = gridwright("check", BROKEN, "--output", "sarif")
    results = check_sarif(ran.json())
    told = all_of(BROKEN)
    assert ran.status == 1
    assert [item["ruleId"] for item in results] == [each.id for each in told]
    for item, each in zip(results, told, strict=True):
        physical = item["locations"][0]["physicalLocation"]
        assert each.place is not None
        assert physical["region"] == {"startLine": each.place.line, "startColumn": each.place.column}
        assert ROOT.parent / unquote(physical["artifactLocation"]["uri"]) == BROKEN / each.place.file
        assert item["message"]["text"].replace("{{", "{").replace("}}", "}") == f"{each.message} ({each.hint})"


def test_a_sarif_log_of_good_documents_has_rules_and_no_results() -> None:
    ran = gridwright("check", EXAMPLE, "--output", "sarif")
    assert ran.status == 0
    assert check_sarif(ran.json()) == []
    assert [rule["id"] for rule in ran.json()["runs"][0]["tool"]["driver"]["rules"]] == list(TITLES)


def test_a_sarif_log_names_odd_and_distant_files_by_uris() -> None:
    found = json.loads(json.dumps(log([finding(file="a b%é.yaml")], Path("/elsewhere"), HERE)))
    (result,) = check_sarif(found)
    assert result["locations"][0]["physicalLocation"]["artifactLocation"] == {
        "uri": "file:///elsewhere/a%20b%25%C3%A9.yaml"
    }
    (result,) = check_sarif(log([finding(file="a:b.yaml")], Path(), HERE))
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "a%3Ab.yaml"
