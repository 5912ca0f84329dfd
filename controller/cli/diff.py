"""`gridwright diff`: what a change of policy does to the plan."""

from enum import StrEnum
from typing import Annotated

import typer

from controller.cli.arguments import AsJson, Environment
from controller.cli.errors import CliError, Exit
from controller.cli.solver import loading_solver
from controller.cli.sources import Source, source
from controller.cli.terminal import console, working, write_json


class Output(StrEnum):
    """How a comparison is written."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"


Old = Annotated[
    Source,
    typer.Argument(
        metavar="OLD",
        help="The folder as it is, or git+URL@REF:FOLDER for one in git, or kubernetes:CONTEXT.",
        parser=source,
    ),
]
New = Annotated[
    Source, typer.Argument(metavar="NEW", help="The folder as it would be, or such an address.", parser=source)
]
Written = Annotated[Output, typer.Option("--output", help="How to write it; markdown is for a pull request.")]


def diff(
    old: Old, new: New, *, environment: Environment = "", output: Written = Output.TEXT, as_json: AsJson = False
) -> int:
    """Tell what would run where, at which cost, latency and findings, under a new policy instead of an old one.

    No server is asked. The fleet first comes to rest under the old policy, at the rates that services expect, and from
    there under the new one. Exits 0 when nothing differs, 2 when something does, 3 when the new policy has no allowed
    plan, and 1 on errors.
    """
    from datetime import UTC, datetime

    from controller.cli.diff_view import markdown, show
    from controller.cli.inputs import read
    from controller.decision import Verdict

    if as_json and output not in {Output.TEXT, Output.JSON}:
        raise CliError(f"--json and --output {output} are both asked for", "leave one of the two out")
    wanted = Output.JSON if as_json else output
    before, after = (read(folder, environment, as_json=wanted is Output.JSON) for folder in (old, new))
    with loading_solver():
        from controller.comparison import compared
    with working("Planning for both"):
        comparison = compared(before, after, datetime.now(UTC))
    if wanted is Output.JSON:
        write_json(comparison)
    elif wanted is Output.MARKDOWN:
        print(markdown(comparison))
    else:
        show(console(), comparison)
    if comparison.after.verdict is Verdict.IMPOSSIBLE:
        return Exit.IMPOSSIBLE
    return Exit.DONE if comparison.is_nothing else Exit.CHANGE
