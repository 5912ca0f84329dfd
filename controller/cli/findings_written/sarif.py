"""Findings as a log of SARIF 2.1.0, which code scanning and editors read.

Section numbers are those of the standard (OASIS, Static Analysis Results Interchange Format 2.1.0).
"""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path, PurePath
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import quote

from controller.cli.findings_written.paths import seen_from
from policy.catalogue import TITLES
from policy.findings import Finding, Level, Place
from policy.remedies import REMEDIES

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"
SOURCE_ROOT: Final = "%SRCROOT%"
"""What relative paths are relative to, by the name that code scanning gives it."""
PAGES: Final = "docs/findings"
"""Where a page of each finding is; it has no address on the web that a `helpUri` could give."""
LEVELS: Final[Mapping[Level, str]] = MappingProxyType(
    {Level.ERROR: "error", Level.WARNING: "warning", Level.INFO: "note"}
)
_RULE_INDEX: Final[Mapping[str, int]] = MappingProxyType({rule: index for index, rule in enumerate(TITLES)})


def log(findings: Sequence[Finding], folder: Path, here: Path) -> dict[str, Any]:
    """The log of one run of `check` over a folder, with files relative to `here`."""
    driver = {"name": "gridwright", "version": version("gridwright"), "rules": [_rule(rule) for rule in TITLES]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, folder, here) for finding in findings],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(finding_id: str) -> dict[str, Any]:
    """What an id stands for (3.49); the same in every log, whatever was found."""
    return {
        "id": finding_id,
        "shortDescription": {"text": _escaped(TITLES[finding_id])},
        "help": {"text": _escaped(f"{TITLES[finding_id]}: {REMEDIES[finding_id]} ({PAGES}/{finding_id}.md)")},
    }


def _result(finding: Finding, folder: Path, here: Path) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.id,
        "ruleIndex": _RULE_INDEX[finding.id],
        "level": LEVELS[finding.level],
        "message": {"text": _escaped(f"{finding.message} ({finding.hint})")},
    }
    if finding.place:
        result["locations"] = [_location(finding.place, folder, here)]
    return result


def _location(place: Place, folder: Path, here: Path) -> dict[str, Any]:
    """A region that begins at the place; without an end it reaches to the end of its line (3.30.7)."""
    return {
        "physicalLocation": {
            "artifactLocation": _artifact(seen_from(here, folder, place.file)),
            "region": {"startLine": place.line, "startColumn": place.column},
        }
    }


def _artifact(path: PurePath) -> dict[str, str]:
    """A file as a URI reference (3.4.3): relative to the root of the sources, or absolute on its own."""
    quoted = quote(path.as_posix())
    return {"uri": f"file://{quoted}"} if path.is_absolute() else {"uri": quoted, "uriBaseId": SOURCE_ROOT}


def _escaped(text: str) -> str:
    """The text without placeholders: a brace is written twice where it stands for itself (3.11.5)."""
    return text.replace("{", "{{").replace("}", "}}")
