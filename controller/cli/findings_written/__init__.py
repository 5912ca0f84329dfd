"""What `check` finds, written for whoever reads it: people, programs, code scanning, or the log of a workflow."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

from policy.findings import Finding


class Output(StrEnum):
    """How findings are written."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    GITHUB = "github"


def write(findings: Sequence[Finding], output: Output, folder: Path, given: str) -> None:
    """All findings of a folder on stdout; `given` is what people call it."""
    if output is Output.JSON:
        from controller.cli.findings_written.flat import flat
        from controller.cli.terminal import write_json

        write_json([flat(finding) for finding in findings])
    elif output is Output.SARIF:
        from controller.cli.findings_written.sarif import log
        from controller.cli.terminal import write_json

        write_json(log(findings, folder, Path.cwd()))
    elif output is Output.GITHUB:
        from controller.cli.findings_written.github import command

        for finding in findings:
            print(command(finding, folder, Path.cwd()))
    else:
        from controller.cli.findings import count, show
        from controller.cli.terminal import console

        out = console()
        show(out, findings)
        if findings:
            out.print("docs/findings has a page on each id", style="dim")
        out.print(f"{given}: {count(findings)}")
