"""Who may write a database's journal: one session at a time holds its lock, and a row names the term that may write.

A lock alone is lost with its session, and a deposed writer could be quicker to take it again; a row alone does not tell
whether whoever wrote it is still there. Each write looks at the row within its own transaction, so whatever a former
writer wrote is before the new one's first look, and what it tries later is refused.
"""

from typing import Any, Final

from sqlalchemy import Connection, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from controller.journal.errors import JournalHeldError
from controller.journal.place import Place
from controller.journal.tables import WRITER

WRITER_LOCK: Final = 0x4757_5244_0001
END_WITHIN_MS: Final = 5_000
ENDED_TIMES: Final = 5
"""A former writer whose session was ended may be back before the lock is taken, as it does not know of that yet."""
LET_GO_WITHIN: Final = "2s"
"""A server learns a little later than its client that a session has ended, and lets go of its lock only then."""
NOT_LET_GO: Final = "55P03"
"""lock_not_available: what PostgreSQL says where a lock was waited for in vain."""

_END: Final = """
SELECT pg_terminate_backend(pid, :within) FROM pg_locks WHERE locktype = 'advisory' AND granted
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
AND classid = :high AND objid = :low AND objsubid = 1 AND pid <> pg_backend_pid()
"""


def lock(connection: Connection, place: Place, *, by_force: bool) -> None:
    """Take the lock of a database's journal for this session; by force, end the session that has it.

    Raises JournalHeldError when another one has it, and does not let go of it soon.
    """
    if _locked(connection) or (_forced(connection) if by_force else _waited_for(connection)):
        return
    raise JournalHeldError(
        f"journal {place}: another controller acts on this fleet: stop it first, or look with `gridwright plan`, which "
        "only reads"
    )


def _forced(connection: Connection) -> bool:
    high, low = divmod(WRITER_LOCK, 1 << 32)
    for _ in range(ENDED_TIMES):
        connection.execute(text(_END), {"within": END_WITHIN_MS, "high": high, "low": low})
        if _locked(connection):
            return True
    return False


def _waited_for(connection: Connection) -> bool:
    try:
        with connection.begin_nested():
            connection.execute(text("SELECT set_config('lock_timeout', :within, true)"), {"within": LET_GO_WITHIN})
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": WRITER_LOCK})
    except DBAPIError as error:
        if _sqlstate(error) != NOT_LET_GO:
            raise
        return False
    return True


def _sqlstate(error: DBAPIError) -> str:
    told = error.orig.args[0] if error.orig is not None and error.orig.args else None
    return str(told.get("C", "")) if isinstance(told, dict) else ""


def _locked(connection: Connection) -> bool:
    taken: Any = connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": WRITER_LOCK}).scalar_one()
    return bool(taken)


def take(connection: Connection, term: str) -> None:
    """Have this term write from now on, and no earlier one."""
    if connection.execute(update(WRITER).values(term=term)).rowcount == 0:
        connection.execute(insert(WRITER).values(id=1, term=term))


def require(connection: Connection, place: Place, term: str) -> None:
    """Raise JournalHeldError unless this term may write, which stays so until the transaction ends."""
    if connection.execute(select(WRITER.c.term).with_for_update()).scalar_one_or_none() != term:
        raise JournalHeldError(
            f"journal {place}: another controller has taken it, and this one may write no more: see which one is meant "
            "to act, and stop the other"
        )
