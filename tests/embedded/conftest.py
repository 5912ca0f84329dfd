"""Real Triton servers and a real Envoy, started once for all tests of this folder."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from controller.embedded.envoy import EnvoyProxy
from controller.embedded.envoy_bootstrap import Backend
from controller.embedded.errors import PartMissingError
from controller.embedded.models.repository import build_networks, build_repository
from controller.embedded.ports import HOST
from controller.embedded.reaper import Reaper
from controller.embedded.triton import Installation, TritonServer, TritonSettings, assemble
from tests.embedded.parts import NAMES, VARIANTS, Sites

ENVIRONMENT = Path(__file__).parents[2] / ".venv-triton"


@pytest.fixture(scope="session")
def reaper() -> Iterator[Reaper]:
    reaper = Reaper()
    yield reaper
    reaper.close()


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    try:
        return assemble(ENVIRONMENT, tmp_path_factory.mktemp("triton"))
    except PartMissingError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def repository(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    work = tmp_path_factory.mktemp("models")
    build_networks(installation.packages, ENVIRONMENT, work / "networks")
    build_repository(work / "repository", work / "networks", VARIANTS)
    return work / "repository"


class Collector(ThreadingHTTPServer):
    """Keeps the bodies that servers post as traces."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__((HOST, 0), Keeping)
        self.bodies: list[bytes] = []


class Keeping(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert isinstance(self.server, Collector)
        self.server.bodies.append(body)
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the standard library's name
        pass


@pytest.fixture(scope="session")
def collector() -> Iterator[Collector]:
    with Collector() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(scope="session")
def sites(
    installation: Installation,
    repository: Path,
    reaper: Reaper,
    collector: Collector,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Sites]:
    work = tmp_path_factory.mktemp("sites")
    url = f"http://{HOST}:{collector.server_port}/v1/traces"
    north, south = (
        TritonServer(installation, TritonSettings(name, repository, work, otlp_url=url), reaper)
        for name in ("north", "south")
    )
    north.start()
    south.start()
    backends = [Backend(server.site, server.endpoint.http, NAMES) for server in (north, south)]
    gateway = EnvoyProxy(("paris", "lyon"), backends, work, reaper)
    gateway.start()
    yield Sites(north, south, gateway)
    gateway.stop()
    north.stop()
    south.stop()
