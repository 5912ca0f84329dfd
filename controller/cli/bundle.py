"""`gridwright bundle`: what a policy names a bundle by."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from controller.cli.errors import Exit
from controller.cli.terminal import console

BundleFolder = Annotated[Path, typer.Argument(metavar="PATH", help="The bundle's folder, such as policy/bundles/eu.")]

app = typer.Typer(no_args_is_help=True, help="Reviewed documents that policies include by their digest.")


@app.callback()
def bundle() -> None:
    """Keep `digest` a command of its own: with a single one, its name would be left out."""


@app.command("digest")
def digest(path: BundleFolder) -> int:
    """Print the digest of a bundle's files, as it stands in an Include. Exits 1 when any of them cannot be read."""
    from controller.cli.findings import show
    from controller.cli.inputs import asserted_folder
    from policy.bundles import digest as digest_of
    from policy.folder import read_texts

    texts, findings = read_texts(asserted_folder(path))
    if findings:
        show(console(sys.stderr), findings)
        return Exit.BAD_INPUT
    print(digest_of(texts))
    return Exit.DONE
