"""Findings as workflow commands of GitHub Actions, which show them beside the lines of a pull request."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from controller.cli.findings_written.paths import seen_from
from policy.catalogue import TITLES
from policy.findings import Finding, Level

COMMANDS: Final[Mapping[Level, str]] = MappingProxyType(
    {Level.ERROR: "error", Level.WARNING: "warning", Level.INFO: "notice"}
)


def command(finding: Finding, folder: Path, here: Path) -> str:
    """One line that the runner takes for an annotation, with the file relative to `here`."""
    properties = {}
    if finding.place:
        file = seen_from(here, folder, finding.place.file).as_posix()
        properties = {"file": file, "line": str(finding.place.line), "col": str(finding.place.column)}
    properties["title"] = f"{finding.id}: {TITLES[finding.id]}"
    listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{COMMANDS[finding.level]} {listed}::{_data(f'{finding.message} ({finding.hint})')}"


def _data(text: str) -> str:
    """The text with what ends a command escaped, as the runner's own toolkit does it; the percent sign first."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """A value with what ends a property escaped as well."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")
