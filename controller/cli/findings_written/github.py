"""Findings as workflow commands of GitHub Actions, which show them beside the lines of a pull request."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from controller.cli.findings_written.paths import seen_from
from policy.catalogue import TITLES
from policy.findings import Finding, Level, Place

COMMANDS: Final[Mapping[Level, str]] = MappingProxyType(
    {Level.ERROR: "error", Level.WARNING: "warning", Level.INFO: "notice"}
)


def command(finding: Finding, folder: Path, here: Path) -> str:
    """One line that the runner takes for an annotation, with the file relative to `here`."""
    title, message = f"{finding.id}: {TITLES[finding.id]}", f"{finding.message} ({finding.hint})"
    return annotation(COMMANDS[finding.level], finding.place, folder, here, title=title, message=message)


def annotation(name: str, place: Place | None, folder: Path, here: Path, *, title: str, message: str) -> str:
    """A command of that name at a place in the folder, with the file relative to `here`."""
    properties = {}
    if place:
        file = seen_from(here, folder, place.file).as_posix()
        properties = {"file": file, "line": str(place.line), "col": str(place.column)}
    listed = ",".join(f"{key}={_property(value)}" for key, value in {**properties, "title": title}.items())
    return f"::{name} {listed}::{_data(message)}"


def _data(text: str) -> str:
    """The text with what ends a command escaped, as the runner's own toolkit does it; the percent sign first."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """A value with what ends a property escaped as well."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")
