"""The door of a cluster's pools, kept: what servers are admitted by is written whenever it is to be otherwise."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from collectors.snapshot import Snapshot
from controller.admission.door import NAME, Judged, parameter, policies, rejudged
from controller.admission.policy import GROUP, Manifest
from controller.admission.servers import Uses
from controller.cluster.api_server.calls import Calls
from controller.cluster.api_server.errors import CallError, MissingError
from controller.cluster.api_server.resources import Resource
from controller.cluster.leading.fencing import DeposedError
from controller.cluster.names import MANAGER, SYSTEM
from controller.cluster.servers.applying import met
from controller.cluster.servers.catalogue import propped_open, refused, unjudged
from controller.planning.known import known
from policy.findings import Finding
from policy.resolved import Policy

KINDS: Final[Mapping[str, Resource]] = {
    "ValidatingAdmissionPolicy": Resource(GROUP, "validatingadmissionpolicies"),
    "ValidatingAdmissionPolicyBinding": Resource(GROUP, "validatingadmissionpolicybindings"),
}
MAPS: Final = Resource("v1", "configmaps")
SUBJECT: Final = f"ConfigMap/{SYSTEM}/{NAME}"
KEEP_S: Final = 5.0
"""How long writing may hold up a turn: what takes requests from where they must not be any more comes after it."""
LOOKED_AT: Final = timedelta(minutes=1)
"""How often it is written though it is as it was."""


class Door:
    """Remembers the answers on compliance, as long as they hold, and what it wrote last."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._judged: Judged | None = None
        self._written: Manifest | None = None
        self._at: datetime | None = None
        self._told: tuple[Finding, ...] = ()

    async def keep(self, policy: Policy, snapshot: Snapshot, used: Iterable[Uses]) -> tuple[Finding, ...]:
        """Have servers admitted where one of some uses has them and compliance allows it; what is in the way."""
        here, seen = known(policy, snapshot, snapshot.at)
        in_cluster = {item.pool for item in snapshot.inventory}
        self._judged = await asyncio.to_thread(rejudged, self._judged, here, seen.evidence, seen.at)
        wanted = parameter(self._judged, in_cluster, used)
        is_new = self._at is not None and self._at <= snapshot.at < self._at + LOOKED_AT
        if wanted != self._written or not is_new:
            self._written, self._told = None, await self._write(wanted)
            if not self._told:
                self._written, self._at = wanted, snapshot.at
        return self._told

    async def _write(self, wanted: Manifest) -> tuple[Finding, ...]:
        try:
            async with asyncio.timeout(KEEP_S):
                live = await self._calls.apply(MAPS.path(NAME, namespace=SYSTEM), wanted, MANAGER)
                absent = [each async for each in self._absent()]
        except (CallError, DeposedError) as error:
            return (met(SUBJECT, error),)
        except TimeoutError:
            return (refused(SUBJECT, f"not written within {KEEP_S:g} s; the next turn tries again"),)
        more = live.get("data", {}).keys() - wanted["data"].keys()
        return (
            *([propped_open(SUBJECT, more)] if more else []),
            *([unjudged(SUBJECT, absent)] if absent else []),
        )

    async def _absent(self) -> AsyncIterator[str]:
        """The policies and bindings that are not there."""
        for manifest in policies():
            kind, name = manifest["kind"], manifest["metadata"]["name"]
            try:
                await self._calls.get(KINDS[kind].path(name))
            except MissingError:
                yield f"{kind} {name}"
