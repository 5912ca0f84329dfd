"""Routes of a plan at a real gateway: a real API server, Contour, and an Envoy that requests really go through."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from tritonclient.grpc.aio import InferenceServerClient
from tritonclient.utils import InferenceServerException

from collectors.triton_names import triton_name
from controller.acting.actuator import ActuatorError, UnreadError
from controller.acting.triton import TritonActuator, servers_of
from controller.actions import SetLoad, SetRoutes
from controller.cluster.api_server.calls import Calls
from controller.cluster.names import ROUTES, backend_of, namespace_of
from controller.cluster.routes.route import route_name
from controller.cluster.routes.routing import RoutesActuator
from controller.cluster.routes.settings import GatewaySettings, Listener
from controller.cluster.servers.backends import around_routes, backend, grant
from controller.connections.addresses import split_address
from controller.embedded.errors import PartMissingError
from controller.embedded.fleet import EmbeddedFleet, embedded_fleet
from controller.embedded.ports import HOST
from controller.fleet import Load, Parts, RouteSet, Way
from rules.kernel.problem import Placement
from tests.acting.calling import body
from tests.acting.world import LYON, ORIENT, ORIENT_LYON, PARIS, READ, READ_LYON, world
from tests.cluster.api_server import PATIENCE_S, POLL_S, ApiServer, Manifest
from tests.cluster.contour import GROUP, NAME, NAMESPACE, POD, RealGateway, define, gateway
from tests.cluster.fleet import calls
from tests.cluster.starting import BUILT, KUBECONFIG, api_server
from tests.loop.conftest import ENVIRONMENT

pytestmark = [pytest.mark.cluster, pytest.mark.envoy]

SETTINGS = GatewaySettings(namespace=NAMESPACE, name=NAME, section="http", draws=True)
ORIENT_INT8 = Placement(ORIENT.model, "int8", PARIS)
NODES = {PARIS: ("paris-0", "paris-1", "paris-2"), LYON: ("lyon-0",)}
BOTH = (Way(300, (READ_LYON, ORIENT_LYON)), Way(700, (READ, ORIENT)))
TRITON = "triton-0"
CALLED = "/crops/orient/v2/models/ppocr-cls/infer"


class Answering(BaseHTTPRequestHandler):
    """A stand-in for Triton's HTTP endpoint, which tells which server it is and what it was called for."""

    def do_POST(self) -> None:
        """Answer with the path."""
        self.rfile.read(int(self.headers.get("content-length", 0)))
        body = self.path.encode()
        self.send_response(200)
        self.send_header("x-server", str(self.server.server_port))  # type: ignore[attr-defined] # it is one of HTTP
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- as the library has it
        """Say nothing."""


@contextmanager
def answering() -> Iterator[int]:
    """The port of a stand-in."""
    with ThreadingHTTPServer((HOST, 0), Answering) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_port
        server.shutdown()


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, str]]:
    """By the port of each node's stand-in, as answers have it, the node."""
    names = [node for nodes in NODES.values() for node in nodes]
    with answering() as one, answering() as two, answering() as three, answering() as four:
        yield {str(port): node for port, node in zip((one, two, three, four), names, strict=True)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("gateway")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[ApiServer]:
    if not (BUILT / "contour").is_file():
        pytest.skip("contour is not here: `make test-cluster` builds it where Go is installed")
    try:
        with api_server(BUILT, folder) as server:
            define(server)
            yield server
    except PartMissingError as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="module")
def real(server: ApiServer, folder: Path, servers: dict[str, str]) -> Iterator[RealGateway]:
    """The gateway, once what a plan's servers stand among is there; of pods, only their endpoints are."""
    for manifest in around_routes():
        server.create(manifest)
    for pool in world().pools:
        server.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace_of(pool.name)}})
        server.create(grant(pool))
        for node in NODES[pool.name]:
            server.create(backend(pool, node))
    for port, node in servers.items():
        (pool_name,) = [name for name, nodes in NODES.items() if node in nodes]
        server.create(endpoint(pool_name, node, http=int(port)))
    with gateway(server, folder) as real:
        yield real


def endpoint(pool: str, node: str, **ports: int) -> Manifest:
    """What Kubernetes makes of a Service and its ready pod."""
    name = backend_of(node)
    metadata = {"name": name, "namespace": namespace_of(pool), "labels": {"kubernetes.io/service-name": name}}
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": metadata,
        "addressType": "IPv4",
        "endpoints": [{"addresses": [POD], "conditions": {"ready": True}}],
        "ports": [{"name": name, "port": port, "protocol": "TCP"} for name, port in ports.items()],
    }


@pytest.fixture
async def by(server: ApiServer, folder: Path) -> AsyncIterator[Calls]:
    assert server.is_served("/readyz")
    async with calls(folder / KUBECONFIG) as asked:
        yield asked


@pytest.fixture
async def actuator(by: Calls) -> AsyncIterator[RoutesActuator]:
    """One that leaves nothing behind."""
    yield RoutesActuator(by, {"edge-paris": SETTINGS})
    await RoutesActuator(by, {}).apply("d", SetRoutes(()), replace(world(), services=()))


def at(by: Calls, **other: object) -> RoutesActuator:
    """An actuator of a Gateway with other settings, which does not wait for long."""
    return RoutesActuator(by, {"edge-paris": SETTINGS.model_copy(update=other)}, followed_s=3)


def routes(*ways: Way) -> RouteSet:
    over = sorted({placement for way in ways for placement in way.placements})
    weights = (2, 1, 1)
    parts = (Parts(each, tuple(zip(NODES[each.pool], weights, strict=False))) for each in over)
    return RouteSet("crops", "edge-paris", tuple(sorted(ways)), tuple(parts))


async def follows(real: RealGateway, draw: int, server: set[str]) -> None:
    """Wait until the Envoy sends a draw to one of these: it is told a moment after the route's status."""
    end = time.monotonic() + PATIENCE_S
    while await led_to(real, draw) - server:
        assert time.monotonic() < end
        await asyncio.sleep(POLL_S)


async def led_to(real: RealGateway, draw: int) -> set[str]:
    """What answers a draw; `nobody` while the Envoy does not listen, as it does without any route."""
    try:
        return {each for each, _ in await asked(real, [draw])}
    except httpx.ConnectError:
        return {"nobody"}


async def asked(real: RealGateway, draws: list[int], path: str = CALLED) -> Counter[tuple[str, str]]:
    """What answered, by the port of the server, or else the status, and the path that it was called by."""
    found: Counter[tuple[str, str]] = Counter()
    async with httpx.AsyncClient(base_url=real.url, trust_env=False, timeout=15) as client:
        for draw in draws:
            answer = await client.post(path, content=b"{}", headers={"x-gridwright-draw": str(draw)})
            server = answer.headers.get("x-server", str(answer.status_code))
            found[server, answer.text if answer.is_success else ""] += 1
    return found


async def test_requests_go_where_the_plan_has_them_by_weight(
    real: RealGateway, actuator: RoutesActuator, servers: dict[str, str]
) -> None:
    demand = routes(Way(600, (READ, ORIENT)), Way(400, (READ, ORIENT_LYON)))
    await actuator.apply("d", SetRoutes((demand,)), world())
    assert await actuator.routes() == (demand,)
    await follows(real, 0, set(servers))
    found = await asked(real, [0] * 400)
    assert {path for _, path in found} == {"/v2/models/ppocr-cls--fp32/infer"}
    by_node = {servers[port]: count for (port, _), count in found.items()}
    # Six standard deviations of four hundred draws by a half are sixty.
    wanted = {"paris-0": 120, "paris-1": 60, "paris-2": 60, "lyon-0": 160}
    assert by_node.keys() == wanted.keys()
    assert all(abs(by_node[node] - wanted[node]) < 60 for node in wanted)


async def test_a_run_stays_on_its_way_and_what_is_refused_is_answered_at_once(
    real: RealGateway, actuator: RoutesActuator, servers: dict[str, str]
) -> None:
    (lyon,) = [port for port, node in servers.items() if node == "lyon-0"]
    half = (Way(300, (READ_LYON, ORIENT_LYON)), Way(400, (READ, ORIENT)))
    await actuator.apply("d", SetRoutes((routes(*half),)), world())
    await follows(real, 299_999, {lyon})
    for path in (CALLED, "/crops/read/v2/models/ppocr-rec/infer"):
        first = await asked(real, [0, 150_000, 299_999, 7_000_299_999], path)
        second = await asked(real, [300_000, 500_000, 699_999], path)
        assert {server for server, _ in first} == {lyon}
        assert {servers[server].partition("-")[0] for server, _ in second} == {"paris"}
        assert set(await asked(real, [700_000, 999_999], path)) == {("503", "")}
    async with httpx.AsyncClient(base_url=real.url, trust_env=False) as client:
        answers = [(await client.post(path)).status_code for path in (CALLED, "/v2/repository/index", "/")]
    assert answers == [404, 404, 404], "without a draw, or beside the stages, there is no route"


async def test_a_variant_of_each_way_is_called_by_its_own_name(
    real: RealGateway, actuator: RoutesActuator, servers: dict[str, str]
) -> None:
    await actuator.apply("d", SetRoutes((routes(Way(500, (READ, ORIENT)), Way(500, (READ, ORIENT_INT8))),)), world())
    await follows(real, 0, set(servers))
    found = await asked(real, [*range(0, 1_000_000, 50_000)])
    paths = Counter(path for path, count in ((path, count) for (_, path), count in found.items()) for _ in range(count))
    assert paths == {"/v2/models/ppocr-cls--fp32/infer": 10, "/v2/models/ppocr-cls--int8/infer": 10}


async def test_a_service_that_left_the_policy_loses_its_routes(real: RealGateway, actuator: RoutesActuator) -> None:
    assert real.url
    await actuator.apply("d", SetRoutes((routes(*BOTH),)), world())
    await actuator.apply("d", SetRoutes(()), replace(world(), services=()))
    assert await actuator.routes() == ()


async def test_what_cannot_be_said_changes_no_route(real: RealGateway, actuator: RoutesActuator, by: Calls) -> None:
    assert real.url
    before = routes(Way(1000, (READ, ORIENT)))
    await actuator.apply("d", SetRoutes((before,)), world())
    with pytest.raises(ActuatorError, match=r"GW2161.*stay together over stages"):
        await at(by, draws=False).apply("d", SetRoutes((routes(*BOTH),)), world())
    assert await actuator.routes() == (before,)


async def test_a_route_that_its_gateway_refuses_is_told_in_its_words(
    real: RealGateway, actuator: RoutesActuator, by: Calls
) -> None:
    assert real.url
    with pytest.raises(ActuatorError, match=r"GW2160.*Accepted is False.*NoMatchingParent"):
        await at(by, section="none").apply("d", SetRoutes((routes(*BOTH),)), world())
    with pytest.raises(UnreadError, match="NoMatchingParent") as unread:
        await actuator.routes()
    assert (unread.value.read, unread.value.origins) == ((), {"edge-paris"})
    (finding,) = actuator.refused
    assert finding.subject.startswith(f"HTTPRoute/{ROUTES}/crops-edge-paris-")


async def test_a_route_to_a_server_that_is_not_there_is_told(
    real: RealGateway, actuator: RoutesActuator, by: Calls
) -> None:
    assert (real.url, actuator.name) != ("", "")
    nowhere = RouteSet("crops", "edge-paris", (Way(1000, (READ, ORIENT)),), (Parts(ORIENT, (("paris-9", 1),)),))
    with pytest.raises(ActuatorError, match=r"GW2160.*ResolvedRefs is False.*BackendNotFound"):
        await at(by).apply("d", SetRoutes((nowhere,)), world())


async def test_a_gateway_that_nobody_looks_after_is_told(
    real: RealGateway, actuator: RoutesActuator, by: Calls
) -> None:
    assert (real.url, actuator.name) != ("", "")
    with pytest.raises(ActuatorError, match=r"GW2164.*Gateway edge/away does not tell Accepted"):
        await at(by, name="away").apply("d", SetRoutes((routes(*BOTH),)), world())


async def test_what_somebody_else_has_set_is_left_to_them(
    real: RealGateway, server: ApiServer, actuator: RoutesActuator
) -> None:
    assert real.url
    demand = routes(Way(1000, (READ, ORIENT)))
    await actuator.apply("d", SetRoutes((demand,)), world())
    path = f"/apis/{GROUP}/namespaces/{ROUTES}/httproutes/{route_name(demand)}"
    server.patch(path, {"spec": {"rules": server.get(path)["spec"]["rules"][:1]}})
    with pytest.raises(ActuatorError, match=r"GW2131.*spec\.rules"):
        await actuator.apply("d", SetRoutes((demand,)), world())
    assert len(server.get(path)["spec"]["rules"]) == 1


@pytest.fixture(scope="module")
def triton(real: RealGateway, server: ApiServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedFleet]:
    """A fleet whose Triton of Paris stands behind the Service of a node."""
    assert real.url
    try:
        with embedded_fleet(world(), ENVIRONMENT, tmp_path_factory.mktemp("fleet") / "work", paced=True) as fleet:
            server.create(backend(world().pool(PARIS), TRITON))
            of_paris = fleet.connections.by_node()[PARIS, ""]
            ports = {
                name: split_address(address)[1] for name, address in (("http", of_paris.http), ("grpc", of_paris.grpc))
            }
            server.create(endpoint(PARIS, TRITON, **ports))
            yield fleet
    except PartMissingError as missing:
        pytest.skip(str(missing))


@pytest.mark.triton
async def test_a_real_triton_answers_by_http_and_by_grpc(
    real: RealGateway, triton: EmbeddedFleet, actuator: RoutesActuator, by: Calls
) -> None:
    servers = servers_of(triton.connections)
    demand = RouteSet("crops", "edge-paris", (Way(1000, (READ, ORIENT)),), (on_triton(READ), on_triton(ORIENT)))
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        await TritonActuator(client, servers).apply("d", SetLoad(Load(ORIENT, 1, 4, 0)), world())
        by_both = SETTINGS.model_copy(update={"grpc": Listener(section="grpc")})
        await RoutesActuator(by, {"edge-paris": by_both}).apply("d", SetRoutes((demand,)), world())
        assert await actuator.routes() == (demand,)
        answers = await until_ok(client, f"{real.url}{CALLED}")
    assert answers["model_name"] == triton_name(ORIENT.model, ORIENT.variant)
    named = {"x-gridwright-stage": "crops/orient"}
    async with InferenceServerClient(real.grpc) as asked_by_grpc:
        assert await asked_by_grpc.is_model_ready(triton_name(ORIENT.model, ORIENT.variant), headers=named)
        for headers in (None, {"x-gridwright-stage": "crops/elsewhere"}):
            with pytest.raises(InferenceServerException, match="UNIMPLEMENTED"):
                await asked_by_grpc.is_model_ready(triton_name(ORIENT.model, ORIENT.variant), headers=headers)
        with pytest.raises(InferenceServerException, match="UNIMPLEMENTED"):
            await asked_by_grpc.unload_model(triton_name(ORIENT.model, ORIENT.variant), headers=named)


def on_triton(placement: Placement) -> Parts:
    return Parts(placement, ((TRITON, 1),))


async def until_ok(client: httpx.AsyncClient, url: str) -> Any:
    """The answer, once the Envoy has the route."""
    end = time.monotonic() + PATIENCE_S
    while True:
        answer = await client.post(url, json=body(ORIENT.model))
        if answer.is_success:
            return answer.json()
        assert time.monotonic() < end, answer.text
        await asyncio.sleep(POLL_S)
