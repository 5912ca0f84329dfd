"""Findings as a list for people."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from policy.findings import Finding, Level

if TYPE_CHECKING:
    from rich.console import Console

STYLES: Final = {Level.ERROR: "bold red", Level.WARNING: "yellow", Level.INFO: "cyan"}


def show(on: "Console", findings: Sequence[Finding]) -> None:
    """Each finding on two lines: where and what, then the next step."""
    from rich.text import Text

    for finding in findings:
        where = str(finding.place) if finding.place else finding.subject
        line = Text.assemble(
            (f"{where}: " if where else "", "bold"),
            (f"{finding.level} {finding.id}", STYLES[finding.level]),
            f": {finding.message}",
        )
        on.print(line)
        on.print(Text(f"    {finding.hint}", style="dim"))


def count(findings: Sequence[Finding]) -> str:
    """How many there are of each level, such as `2 errors, 1 warning`."""
    numbers = {level: sum(finding.level is level for finding in findings) for level in Level}
    return ", ".join(f"{n} {level}{'' if n == 1 else 's'}" for level, n in numbers.items() if n) or "no findings"
