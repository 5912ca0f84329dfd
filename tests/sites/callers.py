"""A site that does at once whatever its plan says, over the real calls: it stands in for servers and not for TLS."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import msgspec
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from hubs import enrolment, private_pem, requested

from collectors.snapshot import LoadedModel, ModelState, Offered, Rate, Reading, Server, ServerState, Snapshot
from controller.sites.calls import PLAN, REGISTER, REPORT, Credentials
from controller.sites.hub.making_keys import AUTHORITY
from controller.sites.hub.registry import SiteRegistry
from controller.sites.report import Phase, Report, packed
from controller.sites.signed import Expected, key_id, verified
from controller.sites.site_plan import SitePlan

GZIP = {"content-encoding": "gzip"}


@dataclass(slots=True)
class Caller:
    """`servers` are those that the site has, by pool and node.

    Once `stuck` at a plan, it takes newer ones up and brings none about. By service, `milli_rps` arrive, else three
    requests a second.
    """

    site: str
    servers: tuple[tuple[str, str], ...]
    client: httpx.AsyncClient
    keys: tuple[str, ...]
    plans: list[SitePlan] = field(default_factory=list)
    sequence: int = 0
    milli_rps: dict[str, int] = field(default_factory=dict)
    stuck: SitePlan | None = None

    @property
    def plan(self) -> SitePlan | None:
        return self.plans[-1] if self.plans else None

    async def pull(self, wait_s: float = 2.0) -> None:
        """Take up the next plan, if one comes."""
        after = self.plan.generation if self.plan else 0
        answer = await self.client.get(PLAN, params={"after": after, "wait_s": wait_s})
        if answer.status_code == httpx.codes.NO_CONTENT:
            return
        answer.raise_for_status()
        keys = [load_pem_public_key(key.encode()) for key in self.keys]
        expected = Expected(self.site, after, datetime.now(UTC))
        self.plans.append(verified(answer.text, {key_id(key): key for key in keys}, expected))

    async def tell(self) -> None:
        self.sequence += 1
        answer = await self.client.put(REPORT, content=packed(self.report()), headers=GZIP)
        answer.raise_for_status()

    def report(self) -> Report:
        now = datetime.now(UTC)
        plan = self.stuck or self.plan
        loads = [item.load for item in plan.loads] if plan else []
        servers = tuple(
            Server(
                pool,
                Reading(
                    ServerState(
                        tuple(
                            LoadedModel(
                                load.placement.model,
                                load.placement.variant,
                                ModelState.READY,
                                load.instances,
                                load.max_batch,
                                load.queue_delay_us,
                            )
                            for load in loads
                            if (load.placement.pool, load.node) == (pool, node)
                        )
                    ),
                    now,
                    "stand-in",
                ),
                node,
            )
            for pool, node in self.servers
        )
        offered = tuple(
            Offered(
                item.routes.service,
                self.site,
                Reading(Rate(self.milli_rps.get(item.routes.service, 3_000), 1_000, 10.0), now, "stand-in"),
            )
            for item in (plan.routes if plan else ())
        )
        return Report(
            self.site,
            self.sequence,
            now,
            Phase.CONNECTED,
            plan.generation if plan else 0,
            Snapshot(now, servers=servers, offered=offered),
            routes=tuple(item.routes for item in plan.routes) if plan else (),
        )


@asynccontextmanager
async def calling(caller: Caller) -> AsyncIterator[Caller]:
    """Have it pull and tell until the block ends."""

    async def pulling() -> None:
        while True:
            await caller.pull()
            await caller.tell()

    async def telling() -> None:
        while True:
            await caller.tell()
            await asyncio.sleep(0.5)

    tasks = [asyncio.create_task(pulling()), asyncio.create_task(telling())]
    try:
        yield caller
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError, httpx.TransportError):
                await task


async def registered(url: str, keys: Path, journal: Path, site: str, servers: tuple[tuple[str, str], ...]) -> Caller:
    """A site that has got its certificate with a token."""
    registry = SiteRegistry.open(journal)
    token = registry.new_token(site, datetime.now(UTC) + timedelta(minutes=5))
    registry.close()
    context = ssl.create_default_context(cafile=keys / AUTHORITY)
    key, request = requested()
    async with httpx.AsyncClient(base_url=url, verify=context, trust_env=False) as client:
        while True:
            try:
                answer = await client.post(REGISTER, content=enrolment(request, token))
                break
            except httpx.ConnectError:
                await asyncio.sleep(0.2)
    answer.raise_for_status()
    made = msgspec.json.decode(answer.content, type=Credentials)
    file = keys / f"{site}.pem"
    file.write_text(made.certificate + private_pem(key))
    own = ssl.create_default_context(cafile=keys / AUTHORITY)
    own.load_cert_chain(file)
    client = httpx.AsyncClient(base_url=url, verify=own, trust_env=False, timeout=20)
    return Caller(site, servers, client, made.plan_keys)
