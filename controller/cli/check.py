"""`gridwright check`: every finding of every document."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from controller.cli.arguments import Environment, Folder
from controller.cli.errors import CliError, Exit
from controller.cli.findings_written import Output, write

if TYPE_CHECKING:
    from policy.findings import Finding

Written = Annotated[Output, typer.Option("--output", help="How to write the findings.")]
AsJson = Annotated[bool, typer.Option("--json", help="The same as --output json.")]
Watched = Annotated[
    bool, typer.Option("--watch", help="Go on until Ctrl-C, and tell what comes and goes as the documents are edited.")
]


def check(
    path: Folder,
    *,
    environment: Environment = "",
    output: Written = Output.TEXT,
    as_json: AsJson = False,
    watched: Watched = False,
) -> int:
    """Tell everything that is wrong or notable in the documents. Exits 0, or 1 when there are errors.

    A policy with variables is checked in each of its environments, unless one is given.

    json is a flat list of findings, sarif a log for code scanning, github the annotations of a workflow.
    """
    from controller.cli.inputs import asserted_folder, read_in_each
    from policy.checks.endings import endings

    if as_json and output not in {Output.TEXT, Output.JSON}:
        raise CliError(f"--json and --output {output} are both asked for", "leave one of the two out")
    wanted = Output.JSON if as_json else output
    if watched:
        from controller.cli.watching import watch

        if wanted is not Output.TEXT:
            raise CliError(f"--watch writes text, and {wanted} is asked for", "leave one of the two out")
        if path.commit or path.is_cluster:
            what = "a cluster" if path.is_cluster else "a commit"
            raise CliError(f"--watch is for a folder, and {path} is {what}", "leave it out, or give a folder")
        return _status(watch(asserted_folder(path.folder), environment))
    evidence, read = read_in_each(path, environment)
    findings = (*read, *endings(evidence, datetime.now(UTC)))
    write(findings, wanted, path.known_as, str(path))
    return _status(findings)


def _status(findings: "Sequence[Finding]") -> Exit:
    from policy.findings import Level

    broken = any(finding.level is Level.ERROR for finding in findings)
    return Exit.BAD_INPUT if broken else Exit.DONE
