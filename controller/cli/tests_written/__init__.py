"""What `test` finds, written for whoever reads it: people, programs, a build server, or the log of a workflow."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from controller.testing.coverage import Covered
    from controller.testing.many import Timed


class Output(StrEnum):
    """How results are written."""

    TEXT = "text"
    JSON = "json"
    JUNIT = "junit"
    GITHUB = "github"


def write(results: "Sequence[Timed]", covered: "Sequence[Covered] | None", output: Output, folder: Path) -> None:
    """All results of a folder on stdout, with the clauses that are covered where that was asked; not in JUnit's XML."""
    if output is Output.JSON:
        from controller.cli.terminal import write_json

        write_json({"tests": results, "coverage": covered})
    elif output is Output.JUNIT:
        from controller.cli.tests_written.junit import report

        print(report(results, folder, Path.cwd()))
    elif output is Output.GITHUB:
        from controller.cli.tests_written.github import commands

        for line in commands(results, covered or (), folder, Path.cwd()):
            print(line)
    else:
        from controller.cli.terminal import console
        from controller.cli.tests_written.text import show

        show(console(), results, covered)
