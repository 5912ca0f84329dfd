"""The journal that a command reads: its file, or what a connections document names."""

from pathlib import Path
from typing import Final

from controller.cli.errors import CliError
from controller.journal.place import Place

JOURNAL_HELP: Final = (
    "The journal that `gridwright run` writes, or the connections document (.yaml, .json) that names its database."
)
OF_DOCUMENTS: Final = frozenset({".yaml", ".yml", ".json"})


def kept_in(path: Path) -> Place:
    """What has the journal that is meant by a path. Raises CliError."""
    if path.suffix not in OF_DOCUMENTS:
        return path
    from controller.cli.live import connections_at

    database = connections_at(path).database
    if database is None:
        raise CliError(f"{path} names no database", "give the journal's file, as `gridwright run --journal` has it")
    return database.database()
