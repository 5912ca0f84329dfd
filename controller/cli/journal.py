"""`gridwright journal`: copies of a journal, and whether one is whole."""

from pathlib import Path
from typing import Annotated

import typer

from controller.cli.errors import CliError, Exit, in_two
from controller.cli.journals import JOURNAL_HELP, kept_in

Journal = Annotated[Path, typer.Argument(metavar="JOURNAL", help=JOURNAL_HELP)]
Copy = Annotated[Path, typer.Argument(metavar="FILE", help="Where the copy goes; it must not be there yet.")]

app = typer.Typer(no_args_is_help=True, help="Copies of a journal, and whether one is whole.")


@app.command("backup")
def backup(journal: Journal, copy: Copy) -> int:
    """Copy a journal's file as it is now, also while a controller writes to it, and verify the copy.

    One in PostgreSQL is for pg_dump to copy.
    """
    from controller.journal.backup import back_up
    from controller.journal.errors import JournalError

    place = kept_in(journal)
    if not isinstance(place, Path):
        raise CliError(f"{place} is no file", "copy it with pg_dump: docs/operations.md has the command")
    try:
        count = back_up(place, copy)
    except JournalError as error:
        raise in_two(error, ": ") from error
    print(f"{copy}: {count} entries, the chain is whole")
    return Exit.DONE


@app.command("verify")
def verify(journal: Journal) -> int:
    """Tell whether every entry and document of a journal is what was written. Exits 1 when one is not."""
    from controller.journal.backup import verified
    from controller.journal.errors import JournalError

    place = kept_in(journal)
    try:
        count = verified(place)
    except JournalError as error:
        raise in_two(error, ": ") from error
    print(f"{place}: {count} entries, the chain is whole")
    return Exit.DONE
