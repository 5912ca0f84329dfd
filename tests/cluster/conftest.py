"""One real API server for most tests of this folder, a whole control plane for others; names in each are apart."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
import yaml

from controller.admission.manifests import policies
from controller.cluster.names import SYSTEM
from controller.embedded.errors import PartMissingError
from policy.documents import API_VERSION, KINDS
from policy.schema.crd import plural
from policy.schema.files import DEFINITIONS
from tests.cluster.accounts import keep_following_parameters
from tests.cluster.api_server import ApiServer, eventually
from tests.cluster.everything import is_furnished
from tests.cluster.restarting import Restarted, restartable
from tests.cluster.starting import BUILT, KUBECONFIG, api_server
from tests.cluster.whole import control_plane, played


@contextmanager
def started(plane: Callable[[Path, Path], AbstractContextManager[ApiServer]], work: Path) -> Iterator[ApiServer]:
    """A server with its files in a folder; the test is skipped where it was not built."""
    try:
        with plane(BUILT, work) as server:
            keep_following_parameters(server)
            yield server
    except PartMissingError as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the server keeps its files, which are gone with it."""
    return tmp_path_factory.mktemp("control-plane")


@pytest.fixture(scope="session")
def server(work: Path) -> Iterator[ApiServer]:
    with started(api_server, work) as server:
        yield server


@pytest.fixture(scope="session")
def helm_is_built() -> None:
    if not (BUILT / "helm").is_file():
        pytest.skip("helm is not here: `make test-cluster` builds it where Go is installed")


@pytest.fixture(scope="session")
def cluster_work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the whole control plane keeps its files."""
    return tmp_path_factory.mktemp("whole-control-plane")


@pytest.fixture(scope="session")
def cluster(cluster_work: Path) -> Iterator[ApiServer]:
    """The API server of a control plane with scheduler, controllers and played nodes."""
    with started(control_plane, cluster_work) as server:
        yield server


@pytest.fixture(scope="session")
def cluster_kubeconfig(cluster: ApiServer, cluster_work: Path) -> Path:
    """What clients find the whole control plane by."""
    assert cluster.is_served("/readyz")
    return cluster_work / KUBECONFIG


@pytest.fixture(scope="session")
def bare_work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the control plane keeps its files that is installed into."""
    return tmp_path_factory.mktemp("bare")


@pytest.fixture(scope="session")
def bare(bare_work: Path) -> Iterator[ApiServer]:
    """A control plane with two nodes in which nothing of ours is, before and after each test that installs."""
    with started(control_plane, bare_work) as server:
        for node in ("one", "two"):
            server.create(played(node, "none"))
        eventually(lambda: is_furnished(server))
        yield server


@pytest.fixture(scope="session")
def kubeconfig(server: ApiServer, work: Path) -> Path:
    """What clients find the server by."""
    assert server.is_served("/readyz")
    return work / KUBECONFIG


@pytest.fixture(scope="session")
def defined(server: ApiServer) -> ApiServer:
    """The server once it serves every kind of document."""
    for file in sorted(DEFINITIONS.glob("*.yaml")):
        server.create(yaml.safe_load(file.read_text()))
    eventually(lambda: all(server.is_served(f"/apis/{API_VERSION}/{plural(kind)}") for kind in KINDS))
    return server


@pytest.fixture(scope="session")
def system(server: ApiServer) -> ApiServer:
    """The server with the controller's namespace."""
    server.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SYSTEM}})
    return server


@pytest.fixture(scope="session")
def guarded(system: ApiServer) -> ApiServer:
    """The server with the admission policies, which are the same for every policy; nobody is held to them yet."""
    for manifest in policies():
        system.create(manifest)
    return system


@pytest.fixture
def restarted(tmp_path: Path) -> Iterator[Restarted]:
    """What starts and ends an API server of the test's own; its kubeconfig stands in the test's folder."""
    try:
        with restartable(tmp_path) as restarted:
            yield restarted
    except PartMissingError as missing:
        pytest.skip(str(missing))
