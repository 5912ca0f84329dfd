"""Which sites may call in, and the plan that each was given last: tables beside the journal's entries.

Commands write here while a controller runs, so nothing of it is kept in memory but by whoever looked.
"""

import secrets
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Final, Self

from collectors.recording import decode, encode
from controller.journal import store
from controller.journal.errors import JournalError, journal_errors
from controller.sites.site_plan import SitePlan

TOKEN_BYTES: Final = 32
MOST_TOKEN_CHARACTERS: Final = 256
SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS site_token (
    digest TEXT PRIMARY KEY, site TEXT NOT NULL, ends_s INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS site_certificate (
    serial TEXT PRIMARY KEY, site TEXT NOT NULL, ends_s INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS site_plan (
    site TEXT PRIMARY KEY, generation INTEGER NOT NULL, body BLOB NOT NULL
) STRICT, WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Certified:
    """A site, and until when a certificate of it holds."""

    site: str
    ends: datetime


class SiteRegistry:
    """Tokens by their digests, certificates by their serial numbers, plans by their sites.

    A certificate counts while it is here: revoking a site takes all of its own away. Every method raises JournalError.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self._in_use = Lock()

    @classmethod
    def open(cls, path: Path) -> Self:
        """That of the journal at `path`, whose lock need not be held."""
        connection = store.open_for_writing(path)
        try:
            with journal_errors(path):
                connection.executescript(SCHEMA)
        except BaseException:
            connection.close()
            raise
        return cls(path, connection)

    def close(self) -> None:
        """Let go of the file, when nothing is being written."""
        with self._in_use:
            self._connection.close()

    def new_token(self, site: str, ends: datetime) -> str:
        """A token with which the site may register once until then. Only its digest is kept."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        with self._in_use, journal_errors(self.path), store.transaction(self._connection):
            row = (_digest(token), site, int(ends.timestamp()))
            self._connection.execute("INSERT INTO site_token VALUES (?, ?, ?)", row)
        return token

    def take_token(self, token: str, now: datetime) -> str:
        """The site that a token is for, which nobody can use from now on; empty where it is none, or has ended."""
        if len(token) > MOST_TOKEN_CHARACTERS:
            return ""
        with self._in_use, journal_errors(self.path), store.transaction(self._connection):
            taken = self._connection.execute(
                "DELETE FROM site_token WHERE digest = ? RETURNING site, ends_s", (_digest(token),)
            ).fetchone()
            self._connection.execute("DELETE FROM site_token WHERE ends_s <= ?", (int(now.timestamp()),))
        return str(taken[0]) if taken and taken[1] > now.timestamp() else ""

    def certify(self, certified: Certified, serial: str, now: datetime, by: str = "") -> bool:
        """Have a certificate count from now on, and forget those that have ended.

        With `by` only while the one with that serial number still counts: what is revoked renews nothing.
        """
        with self._in_use, journal_errors(self.path), store.transaction(self._connection):
            self._connection.execute("DELETE FROM site_certificate WHERE ends_s <= ?", (int(now.timestamp()),))
            sql = "SELECT 1 FROM site_certificate WHERE serial = ? AND site = ?"
            if by and self._connection.execute(sql, (by, certified.site)).fetchone() is None:
                return False
            row = (serial, certified.site, int(certified.ends.timestamp()))
            self._connection.execute("INSERT INTO site_certificate VALUES (?, ?, ?)", row)
            return True

    def counts(self, site: str, serial: str, now: datetime) -> bool:
        """Whether the certificate with a serial number counts for a site."""
        with self._in_use, journal_errors(self.path):
            sql = "SELECT 1 FROM site_certificate WHERE serial = ? AND site = ? AND ends_s > ?"
            return self._connection.execute(sql, (serial, site, int(now.timestamp()))).fetchone() is not None

    def revoke(self, site: str) -> int:
        """Have no certificate and no token of the site count any more; how many there were."""
        with self._in_use, journal_errors(self.path), store.transaction(self._connection):
            return sum(
                self._connection.execute(f"DELETE FROM {table} WHERE site = ?", (site,)).rowcount  # noqa: S608 - fixed words
                for table in ("site_token", "site_certificate")
            )

    def certified(self) -> tuple[Certified, ...]:
        """The sites with a certificate, by name, each with the end of its newest."""
        with self._in_use, journal_errors(self.path):
            sql = "SELECT site, max(ends_s) FROM site_certificate GROUP BY site ORDER BY site"
            rows = self._connection.execute(sql).fetchall()
        return tuple(Certified(site, datetime.fromtimestamp(ends_s, UTC)) for site, ends_s in rows)

    def plan(self, site: str) -> SitePlan | None:
        """The plan that the site was given last."""
        with self._in_use, journal_errors(self.path):
            found = self._connection.execute("SELECT body FROM site_plan WHERE site = ?", (site,)).fetchone()
            return decode(found[0], SitePlan) if found else None

    def put_plan(self, plan: SitePlan, after: int) -> None:
        """Keep a plan as the site's newest, which had generation `after` before, 0 for none.

        Where it had another one, somebody else gives out plans: nothing is written, and JournalError is raised.
        """
        with self._in_use, journal_errors(self.path), store.transaction(self._connection):
            sql = "SELECT generation FROM site_plan WHERE site = ?"
            (known,) = self._connection.execute(sql, (plan.site,)).fetchone() or (0,)
            if known != after or plan.generation <= known:
                raise JournalError(
                    f"journal {self.path}: the plan of {plan.site} has generation {known} and not {after}: another "
                    "controller gives out plans; stop it"
                )
            row = (plan.site, plan.generation, encode(plan))
            self._connection.execute("REPLACE INTO site_plan VALUES (?, ?, ?)", row)


def _digest(token: str) -> str:
    """What is kept of a token, which is too long to be guessed from it."""
    return sha256(token.encode()).hexdigest()
