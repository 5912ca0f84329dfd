"""`gridwright check`: every finding of every document."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from controller.cli.arguments import Folder
from controller.cli.errors import CliError, Exit
from controller.cli.findings_written import Output, write

Written = Annotated[Output, typer.Option("--output", help="How to write the findings.")]
AsJson = Annotated[bool, typer.Option("--json", help="The same as --output json.")]


def check(path: Folder, *, output: Written = Output.TEXT, as_json: AsJson = False) -> int:
    """Tell everything that is wrong or notable in the documents. Exits 0, or 1 when there are errors.

    json is a flat list of findings, sarif a log for code scanning, github the annotations of a workflow.
    """
    from controller.cli.inputs import read_all
    from policy.checks.endings import endings
    from policy.findings import Level

    if as_json and output not in {Output.TEXT, Output.JSON}:
        raise CliError(f"--json and --output {output} are both asked for", "leave one of the two out")
    policy, evidence, read = read_all(path)
    findings = (*read, *endings(evidence, datetime.now(UTC)))
    write(findings, Output.JSON if as_json else output, path)
    good = policy is not None and all(finding.level is not Level.ERROR for finding in findings)
    return Exit.DONE if good else Exit.BAD_INPUT
