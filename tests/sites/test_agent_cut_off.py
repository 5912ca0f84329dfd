"""An agent as a process, between a real hub over TLS and a real Triton and Envoy, while the wire to the hub is cut."""

import asyncio
import signal
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from controller.connections.gateway import GatewayConnection
from controller.connections.reading import write_connections
from controller.connections.sites import AgentConnection, LimitsConnection
from controller.embedded.errors import PartMissingError
from controller.embedded.fleet import EmbeddedFleet, embedded_fleet
from controller.embedded.ports import free_ports
from controller.fleet import Load, RouteSet, Way
from controller.sites.hub.making_keys import AUTHORITY
from controller.sites.report import Cause, Phase, Report
from controller.sites.site_plan import Envelope, SiteLoad, SitePlan, SiteRoute, SiteService
from tests.acting.calling import Calls, body
from tests.acting.world import ORIENT, PARIS, READ, READ_LYON, world
from tests.cli.process import COMMAND
from tests.sites.cut_wire import wire_to
from tests.sites.hubs import Called, hub_at

pytestmark = [pytest.mark.triton, pytest.mark.envoy]
ENVIRONMENT = Path(__file__).parents[2] / ".venv-triton"
SITE = "edge-paris"


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedFleet]:
    try:
        with embedded_fleet(world(), ENVIRONMENT, tmp_path_factory.mktemp("site") / "work", paced=True) as fleet:
            yield fleet
    except PartMissingError as error:
        pytest.skip(f"{error}")


def loads(orient: int) -> tuple[SiteLoad, ...]:
    """Both stages, the first with so many instances; one of them may be given ten requests a second."""
    return (
        SiteLoad(Load(ORIENT, orient, 4, 0), Envelope(1, 3), 100, 100, 10_000),
        SiteLoad(Load(READ, 1, 1, 0), Envelope(1, 1), 100, 100, 1_000_000),
    )


def planned(plan: SitePlan, orient: int = 1) -> SitePlan:
    """Requests read in Lyon, and here while that is silent."""
    return replace(
        plan,
        loads=loads(orient),
        routes=(SiteRoute(RouteSet("crops", SITE, (Way(1000, (READ_LYON, ORIENT)),))),),
        fallbacks=(SiteRoute(RouteSet("crops", SITE, (Way(1000, (READ, ORIENT)),))),),
        services=(SiteService("crops", ("read", "orient")),),
    )


def document(fleet: EmbeddedFleet, folder: Path, hub: str, called: Called) -> Path:
    """The site's own connections: its pool, the gateway of its origin, its hub."""
    gateway = fleet.connections.gateways[0]
    connections = fleet.connections.model_copy(
        update={
            "servers": {PARIS: fleet.connections.servers[PARIS]},
            "gateways": (
                GatewayConnection(admin=gateway.admin, routes=gateway.routes, origins={SITE: gateway.origins[SITE]}),
            ),
            "agent": AgentConnection(
                hub=hub,
                ca_file=called.keys / AUTHORITY,
                limits={PARIS: LimitsConnection(memory_mib=4_096, instances=8)},
            ),
            "otlp": f"127.0.0.1:{free_ports(1)[0]}",
        }
    )
    file = folder / "connections.json"
    write_connections(connections, file)
    return file


def command(file: Path, folder: Path, token: Path) -> list[str]:
    options = ["--site", SITE, "--connections", str(file), "--state", str(folder / "agent"), "--token-file", str(token)]
    return [str(COMMAND), "agent", *options]


@dataclass(frozen=True)
class Site:
    """The site as its users and its hub see it."""

    fleet: EmbeddedFleet
    called: Called
    client: httpx.AsyncClient

    @property
    def triton(self) -> str:
        return f"http://{self.fleet.connections.by_node()[PARIS, ''].http}"

    async def instances(self, model: str) -> int:
        try:
            answer = await self.client.get(f"{self.triton}/v2/models/{model}--fp32/config")
        except httpx.HTTPError:
            return 0
        return int(answer.json()["instance_group"][0]["count"]) if answer.is_success else 0

    async def served_by(self) -> str:
        url = f"{self.fleet.origin_url(SITE)}/crops/read/v2/models/ppocr-rec/infer"
        answer = await self.client.post(url, json=body("ppocr-rec"))
        return answer.headers["x-gridwright-served-by"] if answer.is_success else str(answer.status_code)

    @property
    def report(self) -> Report:
        heard = self.called.hub.reports.of(SITE)
        assert heard is not None
        return heard.report

    async def has(self, phase: Phase, generation: int, *, was_cut_off: bool) -> bool:
        if self.called.hub.reports.of(SITE) is None:
            return False
        told = self.report
        return (told.phase, told.generation, told.cut_off_since is not None) == (phase, generation, was_cut_off)

    async def publish(self, change: Callable[[SitePlan], SitePlan]) -> int:
        now = self.called.clock()
        return await self.called.hub.plans.publish(SITE, change, SitePlan(SITE, 0, now, now))


async def until(what: str, holds: Callable[[], Awaitable[bool]], most_s: float = 60) -> None:
    try:
        async with asyncio.timeout(most_s):
            while not await holds():  # noqa: ASYNC110 -- other processes wake nobody here
                await asyncio.sleep(0.2)
    except TimeoutError:
        pytest.fail(f"not within {most_s:g} s: {what}")


@contextmanager
def agent(fleet: EmbeddedFleet, argv: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The agent as a process, ended in order unless that happened before."""
    process = fleet.spawn(argv, log)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        status = process.wait(20)
        assert status in {0, -signal.SIGKILL}, log.read_text()


async def test_a_site_goes_on_while_it_is_cut_off_and_comes_back_clean(fleet: EmbeddedFleet, tmp_path: Path) -> None:
    async with (
        httpx.AsyncClient(trust_env=False, timeout=10) as client,
        hub_at(tmp_path, SITE) as called,
        wire_to("127.0.0.1", int(called.url.rpartition(":")[2])) as (wire, near),
    ):
        site, log, token = Site(fleet, called, client), tmp_path / "agent.log", tmp_path / "token"
        lyon = fleet.connections.by_node()["edge-lyon-cpu", ""].http
        (await client.post(f"http://{lyon}/v2/repository/models/ppocr-rec--fp32/load", json={})).raise_for_status()
        token.write_text(called.registry.new_token(SITE, called.clock() + timedelta(hours=1)))
        argv = command(document(fleet, tmp_path, near, called), tmp_path, token)
        assert await site.publish(planned) == 1
        with agent(fleet, argv, log) as process:
            await until("the first plan", lambda: site.has(Phase.CONNECTED, 1, was_cut_off=False))
            assert (await site.instances("ppocr-cls"), await site.served_by()) == (1, "edge-lyon-cpu/ppocr-rec--fp32")
            wire.cut()
            process.kill()  # a site without power: nothing of it had time to say goodbye
            await fleet.kill(PARIS)
            await fleet.kill("edge-lyon-cpu")
            await fleet.restart(PARIS)
        with agent(fleet, argv, log):
            await until("the last good plan is loaded again", lambda: is_loaded(site))
            await until("requests fall back on this site", lambda: falls_back(site))
            async with Calls(f"{site.triton}/v2/models/ppocr-cls--fp32/infer", "ppocr-cls", every_s=0.08):
                await until("more instances for more requests", lambda: has_grown(site))
            wire.mend()
            await until("the hub is told of it", lambda: site.has(Phase.CONNECTED, 1, was_cut_off=True))
            assert {item.cause for item in site.report.deviations} == {Cause.SCALED, Cause.FALLBACK}
            assert await site.publish(lambda plan: planned(plan, 2)) == 2
            await until("the newer plan", lambda: site.has(Phase.CONNECTED, 2, was_cut_off=False))
            assert await site.instances("ppocr-cls") == 2
            assert site.report.deviations == ()


async def is_loaded(site: Site) -> bool:
    return [await site.instances(model) for model in ("ppocr-cls", "ppocr-rec")] == [1, 1]


async def falls_back(site: Site) -> bool:
    return await site.served_by() == f"{PARIS}/ppocr-rec--fp32"


async def has_grown(site: Site) -> bool:
    return await site.instances("ppocr-cls") >= 2
