"""One real API server for all tests of this folder; what they make in it has names apart."""

from collections.abc import Iterator

import pytest

from controller.admission.manifests import NAMESPACE, policies
from controller.embedded.errors import PartMissingError
from tests.cluster.api_server import ApiServer
from tests.cluster.starting import BUILT, api_server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    try:
        with api_server(BUILT, tmp_path_factory.mktemp("control-plane")) as server:
            yield server
    except PartMissingError as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def guarded(server: ApiServer) -> ApiServer:
    """The server with the admission policies, which are the same for every policy; nobody is held to them yet."""
    server.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    for manifest in policies():
        server.create(manifest)
    return server
