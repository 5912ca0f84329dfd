"""Which sites may call in, and the plan that each was given last: tables of the journal, beside its entries.

Commands write here while a controller runs, so nothing of it is kept in memory but by whoever looked.
"""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final, Self

from sqlalchemy import delete, func, insert, select, update

from collectors.recording import decode, encode
from controller.journal import holding
from controller.journal.errors import JournalError
from controller.journal.opening import Opened
from controller.journal.place import Place
from controller.journal.tables import SITE_CERTIFICATE, SITE_PLAN, SITE_TOKEN
from controller.sites.site_plan import SitePlan

TOKEN_BYTES: Final = 32
MOST_TOKEN_CHARACTERS: Final = 256


@dataclass(frozen=True, slots=True)
class Certified:
    """A site, and until when a certificate of it holds."""

    site: str
    ends: datetime


class SiteRegistry:
    """Tokens by their digests, certificates by their serial numbers, plans by their sites.

    A certificate counts while it is here: revoking a site takes all of its own away. Every method raises JournalError.
    """

    def __init__(self, opened: Opened, term: str | None) -> None:
        self._opened = opened
        self._term = term

    @classmethod
    def open(cls, place: Place, term: str | None = None) -> Self:
        """That of a journal. With a `term` only that one may give out plans."""
        return cls(Opened.at(place), term)

    def close(self) -> None:
        """Let go of it."""
        self._opened.close()

    def new_token(self, site: str, ends: datetime) -> str:
        """A token with which the site may register once until then. Only its digest is kept."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        with self._opened.writing() as connection:
            row = {"digest": _digest(token), "site": site, "ends_s": int(ends.timestamp())}
            connection.execute(insert(SITE_TOKEN).values(row))
        return token

    def take_token(self, token: str, now: datetime) -> str:
        """The site that a token is for, which nobody can use from now on; empty where it is none, or has ended."""
        if len(token) > MOST_TOKEN_CHARACTERS:
            return ""
        columns = SITE_TOKEN.c
        with self._opened.writing() as connection:
            taken = connection.execute(
                delete(SITE_TOKEN).where(columns.digest == _digest(token)).returning(columns.site, columns.ends_s)
            ).one_or_none()
            connection.execute(delete(SITE_TOKEN).where(columns.ends_s <= int(now.timestamp())))
        return str(taken.site) if taken is not None and taken.ends_s > now.timestamp() else ""

    def certify(self, certified: Certified, serial: str, now: datetime, by: str = "") -> bool:
        """Have a certificate count from now on, and forget those that have ended.

        With `by` only while the one with that serial number still counts: what is revoked renews nothing.
        """
        columns = SITE_CERTIFICATE.c
        known = select(columns.site).where(columns.serial == by, columns.site == certified.site).with_for_update()
        with self._opened.writing() as connection:
            connection.execute(delete(SITE_CERTIFICATE).where(columns.ends_s <= int(now.timestamp())))
            if by and connection.execute(known).one_or_none() is None:
                return False
            row = {"serial": serial, "site": certified.site, "ends_s": int(certified.ends.timestamp())}
            connection.execute(insert(SITE_CERTIFICATE).values(row))
            return True

    def counts(self, site: str, serial: str, now: datetime) -> bool:
        """Whether the certificate with a serial number counts for a site."""
        columns = SITE_CERTIFICATE.c
        asked = (columns.serial == serial, columns.site == site, columns.ends_s > int(now.timestamp()))
        with self._opened.writing() as connection:
            return connection.execute(select(columns.site).where(*asked)).one_or_none() is not None

    def revoke(self, site: str) -> int:
        """Have no certificate and no token of the site count any more; how many there were.

        A renewal that is under way is waited for first, and its certificate is then among those that are taken away.
        """
        with self._opened.writing() as connection:
            columns = SITE_CERTIFICATE.c
            connection.execute(select(columns.serial).where(columns.site == site).with_for_update()).all()
            gone = [
                connection.execute(delete(each).where(each.c.site == site)) for each in (SITE_TOKEN, SITE_CERTIFICATE)
            ]
            return sum(each.rowcount for each in gone)

    def certified(self) -> tuple[Certified, ...]:
        """The sites with a certificate, by name, each with the end of its newest."""
        columns = SITE_CERTIFICATE.c
        newest = select(columns.site, func.max(columns.ends_s)).group_by(columns.site).order_by(columns.site)
        with self._opened.writing() as connection:
            rows = connection.execute(newest).all()
        return tuple(Certified(site, datetime.fromtimestamp(ends_s, UTC)) for site, ends_s in rows)

    def plan(self, site: str) -> SitePlan | None:
        """The plan that the site was given last."""
        with self._opened.writing() as connection:
            found = connection.execute(select(SITE_PLAN.c.body).where(SITE_PLAN.c.site == site)).scalar_one_or_none()
            return decode(found, SitePlan) if found is not None else None

    def put_plan(self, plan: SitePlan, after: int) -> None:
        """Keep a plan as the site's newest, which had generation `after` before, 0 for none.

        Where it had another one, or another term may write the journal, somebody else gives out plans: nothing is
        written, and JournalError is raised.
        """
        row = {"generation": plan.generation, "body": encode(plan)}
        columns = SITE_PLAN.c
        with self._opened.writing() as connection:
            if self._term is not None:
                holding.require(connection, self._opened.place, self._term)
            asked = select(columns.generation).where(columns.site == plan.site).with_for_update()
            known = connection.execute(asked).scalar_one_or_none() or 0
            if known != after or plan.generation <= known:
                raise JournalError(
                    f"journal {self._opened.place}: the plan of {plan.site} has generation {known} and not {after}: "
                    "another controller gives out plans; stop it"
                )
            if connection.execute(update(SITE_PLAN).where(columns.site == plan.site).values(row)).rowcount == 0:
                connection.execute(insert(SITE_PLAN).values(site=plan.site, **row))


def _digest(token: str) -> str:
    """What is kept of a token, which is too long to be guessed from it."""
    return sha256(token.encode()).hexdigest()
