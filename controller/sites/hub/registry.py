"""Which sites may call in, and the plan that each was given last: tables beside the journal's entries.

Commands write here while a controller runs, so nothing of it is kept in memory but by whoever looked.
"""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final, Self

from sqlalchemy import Connection, delete, func, insert, select

from collectors.recording import RecordingError, decode, encode
from controller.journal.errors import JournalError
from controller.journal.opening import Opened
from controller.journal.place import Place
from controller.journal.tables import SITE_CERTIFICATE, SITE_PLAN, SITE_TOKEN
from controller.sites.site_plan import SitePlan

TOKEN_BYTES: Final = 32
MOST_TOKEN_CHARACTERS: Final = 256
TOKEN: Final = SITE_TOKEN.c
CERTIFICATE: Final = SITE_CERTIFICATE.c


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
        self.place = opened.place
        self._opened = opened
        self._term = term

    @classmethod
    def open(cls, place: Place, term: str | None = None) -> Self:
        """That of the journal there, whose lock need not be held. With a `term` only that one gives out plans."""
        return cls(Opened.at(place), term)

    def close(self) -> None:
        """Let go of it."""
        self._opened.close()

    def new_token(self, site: str, ends: datetime) -> str:
        """A token with which the site may register once until then. Only its digest is kept."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        row = {"digest": _digest(token), "site": site, "ends_s": int(ends.timestamp())}
        with self._opened.writing() as connection:
            connection.execute(insert(SITE_TOKEN).values(row))
        return token

    def site_of(self, token: str, now: datetime) -> str:
        """The site that a token is for; empty where it is none, was used, or has ended."""
        if len(token) > MOST_TOKEN_CHARACTERS:
            return ""
        wanted = select(TOKEN.site).where(TOKEN.digest == _digest(token), TOKEN.ends_s > now.timestamp())
        with self._opened.writing() as connection:
            return str(connection.execute(wanted).scalar_one_or_none() or "")

    def certify(self, certified: Certified, serial: str, now: datetime, token: str) -> bool:
        """Have a certificate count from now on for a token, which nobody can use any more; False where it is none.

        It is another agent's than before, whose certificates count no more: a site has one agent.
        """
        spent = delete(SITE_TOKEN).where(TOKEN.digest == _digest(token), TOKEN.site == certified.site)
        with self._opened.writing() as connection:
            _await_renewals(connection, certified.site)
            taken = connection.execute(spent.returning(TOKEN.ends_s)).scalar_one_or_none()
            connection.execute(delete(SITE_TOKEN).where(TOKEN.ends_s <= int(now.timestamp())))
            if taken is None or taken <= now.timestamp():
                return False
            connection.execute(delete(SITE_CERTIFICATE).where(CERTIFICATE.site == certified.site))
            _certify(connection, certified, serial, now)
        return True

    def renew(self, certified: Certified, serial: str, now: datetime, by: str) -> bool:
        """Have a certificate count beside the one with the serial number `by`; False where that counts no more."""
        renewed = select(CERTIFICATE.serial).where(CERTIFICATE.serial == by, CERTIFICATE.site == certified.site)
        with self._opened.writing() as connection:
            connection.execute(delete(SITE_CERTIFICATE).where(CERTIFICATE.ends_s <= int(now.timestamp())))
            if connection.execute(renewed.with_for_update()).one_or_none() is None:
                return False
            _certify(connection, certified, serial, now)
        return True

    def counts(self, site: str, serial: str, now: datetime) -> bool:
        """Whether the certificate with a serial number counts for a site."""
        wanted = select(CERTIFICATE.serial).where(
            CERTIFICATE.serial == serial, CERTIFICATE.site == site, CERTIFICATE.ends_s > int(now.timestamp())
        )
        with self._opened.writing() as connection:
            return connection.execute(wanted).one_or_none() is not None

    def revoke(self, site: str) -> int:
        """Have no certificate and no token of the site count any more; how many there were."""
        with self._opened.writing() as connection:
            _await_renewals(connection, site)
            return sum(
                connection.execute(delete(table).where(table.c.site == site)).rowcount
                for table in (SITE_TOKEN, SITE_CERTIFICATE)
            )

    def certified(self) -> tuple[Certified, ...]:
        """The sites with a certificate, by name, each with the end of its newest."""
        newest = select(CERTIFICATE.site, func.max(CERTIFICATE.ends_s)).group_by(CERTIFICATE.site)
        with self._opened.writing() as connection:
            rows = connection.execute(newest.order_by(CERTIFICATE.site)).all()
        return tuple(Certified(site, datetime.fromtimestamp(ends_s, UTC)) for site, ends_s in rows)

    def plan(self, site: str) -> SitePlan | None:
        """The plan that the site was given last."""
        with self._opened.writing() as connection:
            body = connection.execute(select(SITE_PLAN.c.body).where(SITE_PLAN.c.site == site)).scalar_one_or_none()
        try:
            return None if body is None else decode(body, SitePlan)
        except RecordingError as error:
            raise JournalError(f"journal {self.place}: the plan of {site} cannot be read: {error}") from error

    def put_plan(self, plan: SitePlan, after: int) -> None:
        """Keep a plan as the site's newest, which had generation `after` before, 0 for none.

        Where it had another one, somebody else gives out plans: nothing is written, and JournalError is raised.
        """
        of_site = SITE_PLAN.c.site == plan.site
        with self._opened.held(self._term) as connection:
            kept = select(SITE_PLAN.c.generation).where(of_site).with_for_update()
            known = connection.execute(kept).scalar_one_or_none() or 0
            if known != after or plan.generation <= known:
                raise JournalError(
                    f"journal {self.place}: the plan of {plan.site} has generation {known} and not {after}: another "
                    "controller gives out plans; stop it"
                )
            connection.execute(delete(SITE_PLAN).where(of_site))
            row = {"site": plan.site, "generation": plan.generation, "body": encode(plan)}
            connection.execute(insert(SITE_PLAN).values(row))


def _await_renewals(connection: Connection, site: str) -> None:
    """Wait for a renewal that is under way, so that its certificate is among those that are taken away next."""
    connection.execute(select(CERTIFICATE.serial).where(CERTIFICATE.site == site).with_for_update()).all()


def _certify(connection: Connection, certified: Certified, serial: str, now: datetime) -> None:
    """Write a certificate, and forget those that have ended."""
    connection.execute(delete(SITE_CERTIFICATE).where(CERTIFICATE.ends_s <= int(now.timestamp())))
    row = {"serial": serial, "site": certified.site, "ends_s": int(certified.ends.timestamp())}
    connection.execute(insert(SITE_CERTIFICATE).values(row))


def _digest(token: str) -> str:
    """What is kept of a token, which is too long to be guessed from it."""
    return sha256(token.encode()).hexdigest()
