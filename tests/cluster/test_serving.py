"""Loads on servers that did not stand before: pods of a real control plane, in front of them a real Triton."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from controller.acting.actuator import ActuatorError, HangError
from controller.acting.triton import TritonLimits, TritonServer, servers_of
from controller.actions import SetLoad, Unload
from controller.cluster.api_server.calls import Calls
from controller.cluster.names import namespace_of
from controller.cluster.servers.applying import Applier
from controller.cluster.servers.serving import READY_S, WITHIN_S, ServersActuator
from controller.cluster.servers.settings import Resources
from controller.embedded.errors import PartMissingError
from controller.embedded.fleet import EmbeddedFleet, embedded_fleet
from controller.fleet import Load
from controller.loop.carrying_out import Hands
from tests.acting.test_triton import never_answer, tell_of_orient
from tests.acting.world import ORIENT, PARIS, world
from tests.cluster.api_server import ApiServer, eventually
from tests.cluster.fleet import SETTINGS, asked, calls, pods, stand

pytestmark = [pytest.mark.cluster, pytest.mark.triton, pytest.mark.envoy]

ENVIRONMENT = Path(__file__).parents[2] / ".venv-triton"
POOL = replace(world().pool(PARIS), nodes=2)
NODE, OTHER = POOL.node_names()
LARGE = SETTINGS.model_copy(update={"devices": {POOL.device: None}, "resources": Resources(cpu="500")})
FITTING = SETTINGS.model_copy(update={"devices": {POOL.device: None}})
DECISION = "decision"


@pytest.fixture(scope="module")
def triton(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedFleet]:
    try:
        with embedded_fleet(world(), ENVIRONMENT, tmp_path_factory.mktemp("fleet") / "work", paced=True) as fleet:
            yield fleet
    except PartMissingError as error:
        pytest.skip(f"{error}")


@pytest.fixture(scope="module")
def nodes(cluster: ApiServer) -> ApiServer:
    stand(cluster, POOL)
    return cluster


@pytest.fixture
async def by(cluster_kubeconfig: Path) -> AsyncIterator[Calls]:
    async with calls(cluster_kubeconfig) as asked:
        yield asked
        applier = Applier(asked)
        for each in await applier.standing():
            if each.key.kind == "StatefulSet":
                await applier.remove(each)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False) as client:
        yield client


def loaded(server: TritonServer) -> set[str]:
    index = httpx.post(f"{server.http}/v2/repository/index", trust_env=False).json()
    return {each["name"] for each in index if each.get("state") == "READY"}


async def test_a_node_has_its_server_before_its_first_load_and_until_no_plan_uses_it(
    nodes: ApiServer, by: Calls, client: httpx.AsyncClient, triton: EmbeddedFleet
) -> None:
    real = servers_of(triton.connections)[PARIS, ""]
    limits = TritonLimits(timedelta(seconds=40), timedelta(seconds=5))
    actuator = ServersActuator(by, client, FITTING, Applier(by), limits=limits, reach=lambda _: real)
    await actuator.apply(DECISION, Unload(ORIENT, NODE), world())
    for _ in range(2):
        await actuator.apply(DECISION, SetLoad(Load(ORIENT, 1, 2, 700, NODE)), world())
    assert loaded(real) == {"ppocr-cls--fp32"}
    assert list(pods(nodes, POOL)) == [NODE]
    await actuator.apply(DECISION, Unload(ORIENT, NODE), world())
    assert loaded(real) == set()
    assert list(pods(nodes, POOL)) == [NODE]
    done = await Applier(by).apply(asked(POOL, settings=FITTING))
    assert NODE in [each.name for each in done.removed]  # what other tests left goes, too
    eventually(lambda: pods(nodes, POOL) == {})


@asynccontextmanager
async def silent() -> AsyncIterator[TritonServer]:
    """A server that takes a load and never answers."""
    async with (
        await asyncio.start_server(tell_of_orient, "127.0.0.1", 0) as telling,
        await asyncio.start_server(never_answer, "127.0.0.1", 0) as hanging,
    ):
        http, grpc = (f"127.0.0.1:{each.sockets[0].getsockname()[1]}" for each in (telling, hanging))
        yield TritonServer(f"http://{http}", f"http://{http}/metrics", grpc)


def closed(nodes: ApiServer, name: str, *, closed: bool) -> None:
    nodes.patch(f"/api/v1/nodes/{name}", {"spec": {"unschedulable": closed}})


async def test_a_server_that_is_late_and_then_slow_does_not_hang_until_a_load_had_all_its_time(
    nodes: ApiServer, by: Calls, client: httpx.AsyncClient
) -> None:
    load, limits = SetLoad(Load(ORIENT, 1, 2, 700, NODE)), TritonLimits(timedelta(seconds=4))
    eventually(lambda: pods(nodes, POOL) == {})
    closed(nodes, NODE, closed=True)
    asyncio.get_running_loop().call_later(4, lambda: closed(nodes, NODE, closed=False))
    async with silent() as server:
        actuator = ServersActuator(by, client, FITTING, Applier(by), within_s=6, limits=limits, reach=lambda _: server)
        with pytest.raises(ActuatorError, match=r"ready so late that only \d s was left to load it") as raised:
            await actuator.apply(DECISION, load, world())
        assert not isinstance(raised.value, HangError)
        with pytest.raises(HangError, match="not as wanted within 4 s"):
            await actuator.apply(DECISION, load, world())


async def test_what_was_asked_of_a_server_that_is_gone_since_does_not_hang(
    nodes: ApiServer, by: Calls, client: httpx.AsyncClient
) -> None:
    load, limits = SetLoad(Load(ORIENT, 1, 2, 700, NODE)), TritonLimits(timedelta(seconds=4))
    async with silent() as server:
        actuator = ServersActuator(by, client, FITTING, Applier(by), limits=limits, reach=lambda _: server)
        with pytest.raises(HangError):
            await actuator.apply(DECISION, load, world())
        before = pods(nodes, POOL)[NODE]["metadata"]
        path = f"/api/v1/namespaces/{before['namespace']}/pods/{before['name']}"
        asyncio.get_running_loop().call_later(1, lambda: nodes.remove(path))
        with pytest.raises(ActuatorError, match="it was started anew") as raised:
            await actuator.apply(DECISION, load, world())
        assert not isinstance(raised.value, HangError)


def test_no_load_is_given_up_by_the_loop_before_it_is_told_whether_it_hangs() -> None:
    assert timedelta(seconds=WITHIN_S) < Hands(()).deadline
    assert timedelta(seconds=READY_S) < timedelta(seconds=WITHIN_S)
    assert TritonLimits().action <= timedelta(seconds=WITHIN_S)


async def test_a_server_that_finds_no_room_is_told_by_what_is_missing(
    nodes: ApiServer, by: Calls, client: httpx.AsyncClient
) -> None:
    actuator = ServersActuator(by, client, LARGE, Applier(by), ready_s=8)
    with pytest.raises(ActuatorError, match=r"GW2135: not ready after 8 s of waiting: .*no room.*Insufficient cpu"):
        await actuator.apply(DECISION, SetLoad(Load(ORIENT, 1, 2, 700, OTHER)), world())
    assert list(pods(nodes, POOL)) == [f"{OTHER}-0"]


async def test_a_server_whose_pod_a_quota_is_against_is_told_by_the_quota(
    nodes: ApiServer, by: Calls, client: httpx.AsyncClient
) -> None:
    await Applier(by).apply(asked(POOL, settings=FITTING))
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "no-pods", "namespace": namespace_of(POOL.name)},
        "spec": {"hard": {"pods": "0"}},
    }
    nodes.create(quota)
    path = f"/api/v1/namespaces/{namespace_of(POOL.name)}/resourcequotas/no-pods"
    eventually(lambda: "hard" in nodes.get(path).get("status", {}))
    actuator = ServersActuator(by, client, FITTING, Applier(by), ready_s=8)
    with pytest.raises(ActuatorError, match=r"GW2133: .*exceeded quota: no-pods"):
        await actuator.apply(DECISION, SetLoad(Load(ORIENT, 1, 2, 700, NODE)), world())
    nodes.delete(quota)
