"""Telling a cluster what a turn made of its resources, beside the loop, which does not wait for it."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from controller.cluster.api_server.calls import Calls
from controller.cluster.api_server.errors import CallError, ConflictError, MissingError
from controller.cluster.api_server.resources import EVENTS
from controller.cluster.custom_resources.conditions import ALONE, Resource, Standing, conditions
from controller.cluster.custom_resources.policies import SERVED, ClusterPolicy, Held
from controller.cluster.custom_resources.statuses import (
    EVENTS_NAMESPACE,
    Change,
    changes,
    event_manifests,
    status_manifest,
)
from controller.loop.status import Status

LOG: Final = logging.getLogger("gridwright.cluster")
MANAGER: Final = "gridwright-status"
MOST_AT_ONCE: Final = 100
"""Resources that are told of after one turn; the others wait for the next."""
WORDS_AFTER: Final = timedelta(seconds=60)
"""What differs in words and numbers of a message alone is told so long after the last time."""


class StatusReporter:
    """Writes statuses and events of the policy's resources after turns. `reporter` is this controller, by its name.

    `standing` tells how the resources stand beside another source of the policy.
    """

    def __init__(
        self,
        calls: Calls,
        policy: ClusterPolicy,
        reporter: str,
        clock: Callable[[], datetime],
        standing: Callable[[], Standing] = lambda: ALONE,
    ) -> None:
        self._calls = calls
        self._policy = policy
        self._reporter = reporter
        self._clock = clock
        self._standing = standing
        self._turned = asyncio.Event()
        self._turn: tuple[Status, Mapping[Resource, Held], Standing] | None = None
        self._written: dict[str, tuple[Held, datetime]] = {}

    def observe(self, status: Status) -> None:
        """Take what a turn says; what was not written of the turn before is no longer true."""
        self._turn = status, self._policy.read, self._standing()
        self._turned.set()

    async def run(self) -> None:
        """Write after each turn, until cancelled."""
        while True:
            await self._turned.wait()
            self._turned.clear()
            try:
                await self.write()
            except Exception:
                LOG.exception("what a turn made of the policy is not told; the next turn is")

    async def write(self) -> None:
        """Tell what changed, what is urgent first. What the cluster does not take is told after the next turn."""
        if self._turn is None:
            return
        (status, read, standing), now = self._turn, self._clock()
        wanted = conditions(list(read), status, self._policy.field_at, now, standing)
        known = {resource: self._known(held) for resource, held in read.items()}
        self._written = {held.uid: self._written[held.uid] for held in known.values() if held.uid in self._written}
        due = [each for each in changes(known, wanted, now) if each.is_urgent or self._is_due(each.held, now)]
        try:
            for change in sorted(due, key=lambda each: not each.is_urgent)[:MOST_AT_ONCE]:
                await self._tell(change, now)
        except CallError as error:
            LOG.warning("what a turn made of the policy is not told: %s", error)

    def _known(self, held: Held) -> Held:
        """A resource with what it was last told: informers may not have heard of that yet."""
        written = self._written.get(held.uid)
        if written is None:
            return held
        return replace(held, told=written[0].told, observed_generation=written[0].observed_generation)

    def _is_due(self, held: Held, now: datetime) -> bool:
        written = self._written.get(held.uid)
        return written is None or not timedelta() <= now - written[1] < WORDS_AFTER

    async def _tell(self, change: Change, now: datetime) -> None:
        """Raises CallError when the cluster cannot be told anything; a resource that is gone is told nothing more.

        Events come first: where this replica ends in between, the next one has the same news, and names them alike.
        """
        for event in event_manifests(change, self._reporter, now):
            try:
                await self._calls.create(EVENTS.path(namespace=EVENTS_NAMESPACE), event)
            except ConflictError:
                LOG.debug("an event of %s is there already", change.resource.name)
        path = SERVED[change.resource.kind].path(change.resource.name, subresource="status")
        try:
            await self._calls.apply(path, status_manifest(change), MANAGER, force=True)
        except (MissingError, ConflictError) as error:
            LOG.info("%s %s is not told of: %s", change.resource.kind, change.resource.name, error)
            return
        written = replace(change.held, told=change.told, observed_generation=change.held.generation)
        self._written[change.held.uid] = written, now
