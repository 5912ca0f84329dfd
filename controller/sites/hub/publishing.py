"""The newest plan of each site: changed here, kept in the registry, and given out with a signature."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from controller.sites.hub.registry import SiteRegistry
from controller.sites.signed import signed
from controller.sites.site_plan import SitePlan

VALID: Final = timedelta(hours=1)
"""How long a plan may be taken up after it was given out. Each time it is given out it is signed anew."""

Change = Callable[[SitePlan], SitePlan]


class SitePlans:
    """Only the controller that leads may have one: generations grow by what it has read of the registry."""

    def __init__(self, registry: SiteRegistry, key: Ed25519PrivateKey, clock: Callable[[], datetime]) -> None:
        self._registry = registry
        self._key = key
        self._clock = clock
        self._known: dict[str, SitePlan] = {}
        self._taken_up: Counter[str] = Counter()
        self._changing: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._changed: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._is_ending = False

    def end(self) -> None:
        """Have nobody wait for a plan any more."""
        self._is_ending = True
        for changed in self._changed.values():
            changed.set()

    async def newest(self, site: str) -> SitePlan | None:
        """The plan that the site was given last. Raises JournalError."""
        if site not in self._known:
            found = await asyncio.to_thread(self._registry.plan, site)
            if found is not None:
                self._known.setdefault(site, found)
        return self._known.get(site)

    async def publish(self, site: str, change: Change, otherwise: SitePlan, *, anew: bool = False) -> int:
        """Have the site's plan changed; the generation that has what is asked.

        Without a plan so far, what the site has of itself is changed: `otherwise`. A new generation is above that, too,
        and above the last that the site asked to follow, for it may know a later one than the registry. What changes
        nothing makes none, unless it is to be given out `anew`.
        Raises JournalError, and PlanRefusedError for a plan that is too large.
        """
        async with self._changing[site]:
            before = await self.newest(site)
            base = before or otherwise
            wanted = change(base)
            known = max(otherwise.generation, self._taken_up[site])
            if before is not None and wanted == before and before.generation >= known and not anew:
                return before.generation
            now = self._clock()
            generation = max(base.generation, known) + 1
            plan = replace(wanted, site=site, generation=generation, issued_at=now, valid_until=now + VALID)
            await asyncio.to_thread(signed, plan, self._key)
            self._known.pop(site, None)  # whoever is cut short here does not know which one is kept
            await asyncio.to_thread(self._registry.put_plan, plan, before.generation if before else 0)
            self._known[site] = plan
            self._changed[site].set()
            self._changed[site] = asyncio.Event()
            return generation

    async def given_out(self, site: str, after: int, wait_s: float) -> str | None:
        """The plan with a signature, as soon as it has a generation above `after`; None when it does not come in time.

        Raises JournalError.
        """
        self._taken_up[site] = max(self._taken_up[site], after)
        clock = asyncio.get_running_loop()
        end = clock.time() + wait_s
        while True:
            changed = self._changed[site]
            plan = await self.newest(site)
            if plan is not None and plan.generation > after:
                now = self._clock()
                token = replace(plan, issued_at=now, valid_until=now + VALID)
                return await asyncio.to_thread(signed, token, self._key)
            if self._is_ending:
                return None
            try:
                async with asyncio.timeout_at(end):
                    await changed.wait()
            except TimeoutError:
                return None
