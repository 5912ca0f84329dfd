"""`gridwright agent`: keeps the servers of one site to the site's plan, until it is told to stop."""

from pathlib import Path
from typing import Annotated, Final

import typer

from controller.cli.arguments import ConnectionsFile
from controller.cli.errors import CliError, Exit, in_two

SiteName = Annotated[str, typer.Option("--site", metavar="NAME", help="The site, as the policy calls it.")]
StateFolder = Annotated[
    Path,
    typer.Option("--state", metavar="FOLDER", help="Where the agent keeps its key, its certificate and its last plan."),
]
TokenFile = Annotated[
    Path | None,
    typer.Option(
        "--token-file", metavar="FILE", help="The token of `gridwright site token NAME`, for the first start alone."
    ),
]
DEFAULT_STATE: Final = Path("agent")
MAX_TOKEN_BYTES: Final = 4096


def agent(
    *, site: SiteName, connections: ConnectionsFile, state: StateFolder = DEFAULT_STATE, token_file: TokenFile = None
) -> int:
    """Bring about the plan that the site's hub gives, on the servers beside it, until SIGINT or SIGTERM.

    It always calls out. While the hub does not answer, it keeps to the last plan, scales inside it and withdraws what
    its evidence no longer allows. Servers and routes stay as they are when it ends.
    """
    import asyncio

    from controller.cli.live import connections_at
    from controller.sites.agent.assembly import Places
    from controller.sites.agent.keeping import AgentError
    from controller.sites.agent.running import run_until_told

    places = Places(site, connections_at(connections), state, _token(token_file))
    try:
        asyncio.run(run_until_told(places))
    except AgentError as error:
        raise in_two(error, "; ") from error
    return Exit.DONE


def _token(file: Path | None) -> str:
    """The token, empty without a file or once the file is gone: it counts only once."""
    if file is None or not file.exists():
        return ""
    try:
        with file.open("rb") as stream:
            return stream.read(MAX_TOKEN_BYTES).decode("ascii", "replace").strip()
    except OSError as error:
        raise CliError(f"{file} cannot be read ({error.strerror})", "give a file that this account may read") from error
