"""Findings as a list for people."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from policy.findings import Finding, Level

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

STYLES: Final = {Level.ERROR: "bold red", Level.WARNING: "yellow", Level.INFO: "cyan"}


def show(on: "Console", findings: Sequence[Finding], mark: str = "") -> None:
    """Each finding on two lines, the first behind the mark: where and what, then the next step."""
    from rich.text import Text

    for finding in findings:
        on.print(_line(finding, mark))
        on.print(Text(f"    {finding.hint}", style="dim"))


def show_gone(on: "Console", findings: Sequence[Finding], mark: str) -> None:
    """Findings that are no more, each on one line behind the mark: there is no next step."""
    for finding in findings:
        on.print(_line(finding, mark), style="dim")


def _line(finding: Finding, mark: str) -> "Text":
    from rich.text import Text

    where = str(finding.place) if finding.place else finding.subject
    return Text.assemble(
        mark,
        (f"{where}: " if where else "", "bold"),
        (f"{finding.level} {finding.id}", STYLES[finding.level]),
        f": {finding.message}",
    )


def count(findings: Sequence[Finding]) -> str:
    """How many there are of each level, such as `2 errors, 1 warning`."""
    numbers = {level: sum(finding.level is level for finding in findings) for level in Level}
    return ", ".join(f"{n} {level}{'' if n == 1 else 's'}" for level, n in numbers.items() if n) or "no findings"
