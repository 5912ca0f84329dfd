"""The arguments that several commands share."""

from pathlib import Path
from typing import Annotated, Final

import typer

from controller.cli.sources import Source, source

PATH_HELP: Final = (
    "The folder of policy documents, or git+URL@REF:FOLDER for one in a repository; evidence is in its subfolder "
    "`evidence`."
)
CLUSTER_HELP: Final = "Or kubernetes:CONTEXT for the custom resources of a cluster."
Folder = Annotated[Source, typer.Argument(metavar="PATH", help=f"{PATH_HELP} {CLUSTER_HELP}", parser=source)]
FollowedFolder = Annotated[str, typer.Argument(metavar="PATH", help=f"{PATH_HELP} {CLUSTER_HELP}")]
AsJson = Annotated[bool, typer.Option("--json", help="Answer with one JSON document on stdout.")]
Environment = Annotated[
    str, typer.Option("--environment", metavar="NAME", help="The environment whose values variables have.")
]
CONNECTIONS_HELP: Final = "The document that tells where servers and gateways are."
ConnectionsFile = Annotated[Path, typer.Option("--connections", metavar="FILE", help=CONNECTIONS_HELP)]
WhatRuns = Annotated[
    Path | None,
    typer.Option("--connections", metavar="FILE", help=f"{CONNECTIONS_HELP} Without it the plan starts from nothing."),
]
JournalFile = Annotated[
    Path, typer.Option("--journal", metavar="FILE", help="Where every decision and action is noted before it is done.")
]
DEFAULT_JOURNAL: Final = Path("journal.sqlite")
