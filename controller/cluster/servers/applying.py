"""Applying what a plan asks for: only what differs, only what is ours, and nothing that somebody else has set."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from controller.cluster.api_server.calls import Calls, owners
from controller.cluster.api_server.errors import CallError, ConflictError, ForbiddenError, MissingError
from controller.cluster.api_server.listing import listed
from controller.cluster.api_server.resources import Resource
from controller.cluster.leading.fencing import REFUSAL, DeposedError
from controller.cluster.names import BACKEND, CONTENT, MANAGED_BY, MANAGER, namespace_of, server_of
from controller.cluster.servers.catalogue import (
    beyond_quota,
    deposed,
    kept_by_budget,
    not_ours,
    outdated,
    owned_by_others,
    refused,
    scaled_by_others,
)
from controller.cluster.servers.evicting import evict
from controller.cluster.servers.scalers import SCALERS, targets
from controller.cluster.servers.standing import (
    KINDS,
    SERVERS,
    Key,
    Manifest,
    Standing,
    difference,
    digest,
    is_ours,
    key_of,
    standing,
)
from policy.findings import Finding

QUOTA: Final = "exceeded quota"
"""In the words of the API server's admission of quotas, and of controllers that pass them on."""
AT_ONCE: Final = 8
"""Objects that are written at once."""
Item = TypeVar("Item")
_SELECTOR: Final = f"{MANAGED_BY}={MANAGER}"


@dataclass(frozen=True, slots=True)
class Applied:
    """What came of it: the objects that were written or removed, and what a person has to know."""

    written: tuple[Key, ...] = ()
    removed: tuple[Key, ...] = ()
    findings: tuple[Finding, ...] = ()


class Applier:
    """Writes objects of some kinds as one field manager, and remembers what that owned of each."""

    def __init__(self, calls: Calls, kinds: Mapping[str, Resource] = KINDS) -> None:
        self._calls = calls
        self._kinds = kinds
        self._applied: dict[Key, str] = {}
        self._added: dict[Key, str] = {}

    async def apply(self, wanted: Sequence[Manifest], *, removes: bool = True) -> Applied:
        """Have the cluster hold what is wanted, and nothing of ours beside it. Raises CallError when it cannot be read.

        Kind by kind, so that what others need is there first; objects of a kind side by side. What one object meets is
        a finding, and the others go on.
        """
        stands = {each.key: each for each in await self.standing()}
        scaled = await self._scaled()
        todo = difference(wanted, stands.values(), self._applied)
        written: list[Key] = []
        findings = [scaled_by_others(str(key), scaled[key]) for key in map(key_of, wanted) if key in scaled]
        findings += [outdated(str(each.key)) for each in stands.values() if each.is_outdated]
        for kind in self._kinds:
            some = [each for each in todo.apply if each["kind"] == kind and key_of(each) not in scaled]
            met = await side_by_side(some, lambda each: self.write(each, stands.get(key_of(each))))
            written += [key_of(each) for each, finding in zip(some, met, strict=True) if finding is None]
            findings += [finding for finding in met if finding]
        left = [each for each in todo.remove if each.key not in scaled] if removes else []
        removed, kept = await self._remove(left, stands.values())
        return Applied(tuple(written), removed, (*findings, *kept))

    async def _remove(
        self, left: Sequence[Standing], stands: Iterable[Standing]
    ) -> tuple[tuple[Key, ...], list[Finding]]:
        """Have objects gone: what leads to one server after it, a pool's budget and its like after its last one."""
        servers = [each for each in left if each.key.kind == SERVERS]
        met = await side_by_side(servers, self.remove)
        gone = {each.key for each, finding in zip(servers, met, strict=True) if finding is None}
        inhabited = {each.key.namespace for each in stands if each.key.kind == SERVERS and each.key not in gone}
        others = [each for each in left if each.key.kind != SERVERS]
        rest = [each for each in others if each.key.namespace not in inhabited or each.key.name.startswith(BACKEND)]
        met += await side_by_side(rest, self.remove)
        both = zip([*servers, *rest], met, strict=True)
        removed = tuple(each.key for each, finding in both if finding is None)
        return removed, [finding for finding in met if finding]

    async def add(self, wanted: Sequence[Manifest]) -> tuple[Finding, ...]:
        """Have the cluster hold what is wanted, whatever else it holds. Raises CallError when it cannot be read.

        What servers stand among is not looked at again once it was applied: `apply` sees to it from then on.
        """
        scaled = await self._scaled()
        findings = [scaled_by_others(str(key), scaled[key]) for key in map(key_of, wanted) if key in scaled]
        for manifest in wanted:
            key = key_of(manifest)
            if key.kind != SERVERS and self._added.get(key) == digest(manifest):
                continue
            stands = await self._one(key)
            if key not in scaled and difference([manifest], [stands] if stands else [], self._applied).apply:
                finding = await self.write(manifest, stands)
                findings += [finding] if finding else []
                if finding:
                    continue
            self._added[key] = digest(manifest)
        return tuple(findings)

    async def standing(self) -> list[Standing]:
        """All objects that carry our label. Raises CallError."""
        return [
            standing(kind, each)
            for kind, resource in self._kinds.items()
            async for each in listed(self._calls, resource, labelSelector=_SELECTOR)
        ]

    async def write(self, manifest: Manifest, stands: Standing | None) -> Finding | None:
        """Have one object as wanted; what is in the way, or None. `stands` is what is known of it, None for nothing."""
        key = key_of(manifest)
        try:
            if stands is None and await self._is_others(key):
                return not_ours(str(key))
            live = await self._calls.apply(key.path, _marked(manifest), MANAGER)
        except (CallError, DeposedError) as error:
            return met(str(key), error)
        self._applied[key] = standing(key.kind, live).fields
        return None

    async def remove(self, stands: Standing) -> Finding | None:
        """Have one object gone; what is in the way, or None. A server's pod is evicted first, so that budgets hold."""
        try:
            told = await evict(self._calls, stands.key) if stands.key.kind == SERVERS else ""
            if told:
                return kept_by_budget(str(stands.key), told)
            await self._calls.delete(stands.key.path, uid=stands.uid)
        except MissingError:
            return None
        except (CallError, DeposedError) as error:
            return met(str(stands.key), error)
        self._applied.pop(stands.key, None)
        self._added.pop(stands.key, None)
        return None

    async def restart(self, pool: str, node: str) -> Finding | None:
        """Have the pod of a server made anew; what is in the way, or None."""
        key = Key(SERVERS, namespace_of(pool), server_of(node))
        try:
            told = await evict(self._calls, key)
        except (CallError, DeposedError) as error:
            return met(str(key), error)
        return kept_by_budget(str(key), told) if told else None

    async def _one(self, key: Key) -> Standing | None:
        """An object of ours, or None where there is none that carries our label."""
        try:
            live = await self._calls.get(key.path)
        except MissingError:
            return None
        return standing(key.kind, live) if is_ours(live) else None

    async def _is_others(self, key: Key) -> bool:
        """Whether there is one of that name without our label. A namespace may have been made for what it needs."""
        if key.kind == "Namespace":
            return False
        try:
            return not is_ours(await self._calls.get(key.path))
        except MissingError:
            return False

    async def _scaled(self) -> Mapping[Key, str]:
        found: dict[Key, str] = {}
        if SERVERS not in self._kinds:
            return found
        for kind, resource in SCALERS.items():
            try:
                found |= targets(kind, [each async for each in listed(self._calls, resource)])
            except MissingError:
                continue  # it is not installed
        return found


async def side_by_side(items: Sequence[Item], do: Callable[[Item], Awaitable[Finding | None]]) -> list[Finding | None]:
    """What came of each item, in their order, a few at a time: a call has its time from when it may begin."""
    free = asyncio.Semaphore(AT_ONCE)

    async def one(item: Item) -> Finding | None:
        async with free:
            return await do(item)

    return list(await asyncio.gather(*map(one, items)))


def met(subject: str, error: CallError | DeposedError) -> Finding:
    """What an error means to a person."""
    if isinstance(error, DeposedError):
        return deposed(subject, str(error))
    if isinstance(error, ForbiddenError) and REFUSAL in error.message:
        return deposed(subject, error.message)
    if isinstance(error, ForbiddenError) and QUOTA in error.message:
        return beyond_quota(subject, error.message)
    if isinstance(error, ConflictError) and owners(error):
        return owned_by_others(subject, owners(error))
    return refused(subject, error.message)


def _marked(manifest: Manifest) -> Manifest:
    """With the digest by which it is known again."""
    metadata = manifest["metadata"]
    annotations = {**metadata.get("annotations", {}), CONTENT: digest(manifest)}
    return {**manifest, "metadata": {**metadata, "annotations": annotations}}
