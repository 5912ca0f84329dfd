"""Holding the lease at a real API server, and leading only once the API server is known to refuse the former leader."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from controller.cluster.api_server.calls import Calls
from controller.cluster.api_server.errors import CallError, ConflictError, MissingError
from controller.cluster.api_server.resources import LEASES
from controller.cluster.leading.fencing import DeposedError, refuses_other_terms
from controller.cluster.leading.lease import LEASE, Record, Seen, Step, Timing, following, look, next_look_s, step
from controller.cluster.names import MANAGED_BY, MANAGER, SYSTEM

LOG: Final = logging.getLogger("gridwright.cluster")
_MICROSECONDS: Final = "%Y-%m-%dT%H:%M:%S.%fZ"


def seconds() -> float:
    """A clock that nobody sets, and that goes on while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Leadership:
    """One replica's part in who leads. `run` it beside the loop; ask `term` before each write.

    `me` names this process and never another one. `calls` have less time than a renewal may take. `trouble` is what
    keeps it from leading, or empty.
    """

    def __init__(
        self,
        calls: Calls,
        me: str,
        timing: Timing = Timing(),  # noqa: B008 - it is frozen
        clock: Callable[[], float] = seconds,
    ) -> None:
        self._calls = calls
        self._me = me
        self._timing = timing
        self._clock = clock
        self._seen: Seen | None = None
        self._until_s = 0.0
        self._fenced = ""
        self._leads = asyncio.Event()
        self.trouble = ""

    @property
    def is_leading(self) -> bool:
        """Whether nobody else may lead now."""
        return self._clock() < self._until_s and self._held_term() == self._fenced

    def term(self) -> str:
        """The term of this leader. Raises DeposedError when somebody else may lead by now."""
        if not self.is_leading:
            raise DeposedError(self.trouble or "its lease was not renewed in time")
        return self._fenced

    async def led(self) -> None:
        """Wait until this replica leads."""
        while not self.is_leading:
            self._leads.clear()
            await self._leads.wait()

    async def deposed(self) -> None:
        """Wait until somebody else may lead; looks often, as asyncio's clock stands still while the machine sleeps."""
        while self.is_leading:  # noqa: ASYNC110 -- time alone ends it
            await asyncio.sleep(min(self._timing.look_s, max(0.0, self._until_s - self._clock())))

    async def run(self) -> None:
        """Look and renew, or wait for the lease, until cancelled; then give it up, so that nobody has to wait."""
        try:
            while True:
                await self._turn()
                await asyncio.sleep(self._rest_s())
        finally:
            await self._give_up()

    async def _turn(self) -> None:
        try:
            await self._look()
            self.trouble = ""
        except CallError as error:
            self.trouble = error.message
        except Exception as error:
            LOG.exception("looking at the lease failed; it is looked at again")
            self.trouble = f"{type(error).__name__}: {error}: a fault of Gridwright, report it"
        if self.is_leading:
            self._leads.set()

    def _rest_s(self) -> float:
        """Until the next look; after a call that failed there is no hurry."""
        if self.trouble:
            return self._timing.look_s
        return next_look_s(self._me, self._seen, self._clock(), self._timing)

    async def _look(self) -> None:
        sent_s = self._clock()
        self._seen = look(self._seen, await self._read(), self._clock())
        todo = step(self._me, self._seen, self._clock())
        if todo is Step.WAIT:
            return
        record = following(self._seen.record, self._me, self._timing)
        written = await self._write(record, self._seen.record)
        self._seen = Seen(written, self._clock())
        if written is None:
            return
        self._until_s = sent_s + self._timing.lead_s
        if self._fenced != record.term and await refuses_other_terms(self._calls, record.term):
            self._fenced = record.term

    def _held_term(self) -> str | None:
        record = self._seen.record if self._seen else None
        return record.term if record and record.holder == self._me else None

    async def _read(self) -> Record | None:
        try:
            lease = await self._calls.get(LEASES.path(LEASE, namespace=SYSTEM))
        except MissingError:
            return None
        return _record(lease)

    async def _write(self, record: Record, before: Record | None) -> Record | None:
        """The lease after it was written, or None when somebody else was quicker."""
        manifest = _manifest(record, datetime.now(UTC), is_new=before is None or before.holder != record.holder)
        try:
            if before is None:
                return _record(await self._calls.create(LEASES.path(namespace=SYSTEM), manifest))
            return _record(await self._calls.replace(LEASES.path(LEASE, namespace=SYSTEM), manifest))
        except (ConflictError, MissingError):
            return None

    async def _give_up(self) -> None:
        record = self._seen.record if self._seen else None
        self._until_s = 0.0
        if record is None or record.holder != self._me:
            return
        free = Record("", record.transitions, 1, record.version)
        try:
            await self._write(free, record)
        except CallError as error:
            self.trouble = error.message  # it ends by itself


def _record(lease: Mapping[str, Any]) -> Record:
    spec = lease["spec"]
    return Record(
        spec.get("holderIdentity") or "",
        spec.get("leaseTransitions") or 0,
        spec.get("leaseDurationSeconds") or 1,
        lease["metadata"]["resourceVersion"],
    )


def _manifest(record: Record, now: datetime, *, is_new: bool) -> Mapping[str, Any]:
    """The instants are for people to read."""
    written = now.strftime(_MICROSECONDS)
    metadata = {"name": LEASE, "namespace": SYSTEM, "labels": {MANAGED_BY: MANAGER}}
    return {
        "apiVersion": LEASES.version,
        "kind": "Lease",
        "metadata": {**metadata, **({"resourceVersion": record.version} if record.version else {})},
        "spec": {
            "holderIdentity": record.holder,
            "leaseTransitions": record.transitions,
            "leaseDurationSeconds": record.duration_s,
            "renewTime": written,
            **({"acquireTime": written} if is_new else {}),
        },
    }
