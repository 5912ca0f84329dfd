"""The whole of it: a controller that plans for a site, its agent as a process, real servers, and nothing between."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from controller.assembly import Running, controller
from controller.connections.connections import Connections
from controller.connections.reading import write_connections
from controller.connections.sites import AgentConnection, LimitsConnection, SitesConnection
from controller.decision import Verdict
from controller.embedded.errors import PartMissingError
from controller.embedded.fleet import EmbeddedFleet, embedded_fleet
from controller.embedded.ports import free_ports
from controller.places import Places
from controller.sites.hub.making_keys import AUTHORITY, AUTHORITY_KEY, CERTIFICATE, KEY, PLAN_KEY, make_keys
from controller.sites.hub.registry import SiteRegistry
from policy.source import load
from tests.cli.process import COMMAND, EXAMPLE

pytestmark = [pytest.mark.triton, pytest.mark.envoy, pytest.mark.long]
ENVIRONMENT = Path(__file__).parents[2] / ".venv-triton"
SITE = "edge-paris"


@dataclass(frozen=True)
class Documents:
    """What the controller and the agent are told of one and the same fleet."""

    controller: Connections
    agent: Connections


def documents(fleet: EmbeddedFleet, keys: Path) -> Documents:
    make_keys(keys, ("127.0.0.1",), datetime.now(UTC))
    whole, (gateway,) = fleet.connections, fleet.connections.gateways
    sites, traces = free_ports(2)
    others = {origin: address for origin, address in gateway.origins.items() if origin != SITE}
    calling = SitesConnection(
        address=f"127.0.0.1:{sites}",
        agents=(SITE,),
        certificate=keys / CERTIFICATE,
        key=keys / KEY,
        authority=keys / AUTHORITY,
        authority_key=keys / AUTHORITY_KEY,
        plan_key=keys / PLAN_KEY,
    )
    return Documents(
        whole.model_copy(
            update={
                "servers": {pool: server for pool, server in whole.servers.items() if pool != SITE},
                "gateways": (gateway.model_copy(update={"origins": others}),),
                "sites": calling,
            }
        ),
        whole.model_copy(
            update={
                "servers": {SITE: whole.servers[SITE]},
                "gateways": (gateway.model_copy(update={"origins": {SITE: gateway.origins[SITE]}}),),
                "agent": AgentConnection(
                    hub=calling.address,
                    ca_file=keys / AUTHORITY,
                    limits={SITE: LimitsConnection(memory_mib=16_384, instances=16)},
                ),
                "otlp": f"127.0.0.1:{traces}",
            }
        ),
    )


async def until(holds: Callable[[], bool], most_s: float) -> None:
    async with asyncio.timeout(most_s):
        while not holds():  # noqa: ASYNC110 -- other processes wake nobody here
            await asyncio.sleep(0.5)


def rests(running: Running) -> bool:
    """The plan is carried out, of the site as of all others, and nothing is missing."""
    status = running.runner.status
    decision = status.decision
    if decision is None or decision.verdict is not Verdict.KEEP or status.outcomes or status.findings:
        return False
    return any(load.placement.pool == SITE for load in decision.fleet.loads)


@pytest.mark.timeout(280)
async def test_a_controller_brings_its_plan_about_at_a_site_by_the_agent_alone(tmp_path: Path) -> None:
    policy = load(EXAMPLE).policy
    assert policy is not None
    try:
        with embedded_fleet(policy, ENVIRONMENT, tmp_path / "fleet", paced=True) as fleet:
            told = documents(fleet, tmp_path / "keys")
            journal, token, file = tmp_path / "journal.sqlite", tmp_path / "token", tmp_path / "site.json"
            write_connections(told.agent, file)
            async with controller(Places(EXAMPLE, journal, told.controller)) as running:
                registry = SiteRegistry.open(journal)
                token.write_text(registry.new_token(SITE, datetime.now(UTC) + timedelta(hours=1)))
                registry.close()
                argv = [str(COMMAND), "agent", "--site", SITE, "--connections", str(file)]
                options = ["--state", str(tmp_path / "state"), "--token-file", str(token)]
                process = fleet.spawn([*argv, *options], tmp_path / "agent.log")
                try:
                    await until(lambda: rests(running), 200)
                finally:
                    process.terminate()
                    process.wait(20)
    except PartMissingError as error:
        pytest.skip(f"{error}")
