"""Bringing a journal to the tables of this release, once however many controllers start, and refusing a later one's."""

from typing import Final

from sqlalchemy import Connection, inspect, text

from controller.journal.errors import JournalError
from controller.journal.place import Place

FIRST: Final = "0001"
NEWEST: Final = "0003"
KNOWN: Final = (FIRST, "0002", NEWEST)
"""The steps of `migrations`, in order."""
STEPS: Final = "alembic_version"
MIGRATION_LOCK: Final = 0x4757_5244_0002
"""The advisory lock of PostgreSQL under which tables are changed. In SQLite the transaction that writes is one."""


def revision_of(connection: Connection) -> str | None:
    """The step that a journal is at: the first for one from before there were steps, None for one without tables."""
    found = inspect(connection)
    if found.has_table(STEPS):
        return str(connection.execute(text(f"SELECT version_num FROM {STEPS}")).scalar_one())  # noqa: S608 - a constant
    return FIRST if found.has_table("entry") else None


def require_known(connection: Connection, place: Place) -> str | None:
    """The step that a journal is at. Raises JournalError when only a later release knows it."""
    revision = revision_of(connection)
    if revision is not None and revision not in KNOWN:
        raise JournalError(
            f"journal {place}: a later release has brought it to step {revision}, this one knows {NEWEST}: use that "
            "release, or restore the backup of before"
        )
    return revision


def migrate(connection: Connection, place: Place) -> None:
    """Bring the journal to the newest step, within the transaction of the connection. Raises JournalError."""
    if require_known(connection, place) == NEWEST:
        return
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
    revision = require_known(connection, place)
    if revision == NEWEST:
        return
    # Importing them takes a third of a second, which a start without news is spared.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", "controller.journal:migrations")
    config.attributes["connection"] = connection
    if revision == FIRST:
        command.stamp(config, FIRST)
    command.upgrade(config, NEWEST)
