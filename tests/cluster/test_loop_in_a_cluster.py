"""The whole controller in a real cluster: servers are pods on played nodes, and behind each is a real Triton."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from controller.acting.triton import TritonServer, servers_of
from controller.assembly import Places, controller
from controller.cluster.leading.marking import Pod
from controller.cluster.names import LEADS, SYSTEM, namespace_of
from controller.connections import ClusterConnection, Connections, DatabaseConnection
from controller.embedded.errors import PartMissingError
from controller.embedded.fleet import EmbeddedFleet, embedded_fleet
from controller.embedded.ports import HOST, free_ports
from controller.journal.reader import reading as journal_read
from controller.loop.status import Status
from policy.documents import API_VERSION, KINDS
from policy.resolved import Pool
from policy.schema.crd import plural
from policy.schema.files import DEFINITIONS
from policy.source import load
from tests.cluster.accounts import take_away
from tests.cluster.api_server import ApiServer, eventually, one
from tests.cluster.fleet import SETTINGS, pods, stand
from tests.cluster.helm import USER
from tests.cluster.pods import restricted
from tests.cluster.role import as_controller, asked, of_account
from tests.cluster.written import files, resources
from tests.journal.postgresql import serving
from tests.loop.conftest import ENVIRONMENT
from tests.loop.real import Watched, held_by, settled
from tests.loop.test_lost_node import MODEL, NODES, written

pytestmark = [pytest.mark.cluster, pytest.mark.triton, pytest.mark.envoy]

OWN = "gridwright-0"
"""The pod that the controller runs in."""


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("hall") / "policy")


@pytest.fixture(scope="module")
def tritons(policy: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedFleet]:
    loaded = load(policy)
    assert loaded.policy is not None, loaded.findings
    try:
        with embedded_fleet(loaded.policy, ENVIRONMENT, tmp_path_factory.mktemp("hall") / "work", paced=True) as fleet:
            yield fleet
    except PartMissingError as error:
        pytest.skip(f"{error}")


@pytest.fixture(scope="module")
def pool(policy: Path) -> Pool:
    loaded = load(policy)
    assert loaded.policy is not None
    return loaded.policy.pools[0]


@pytest.fixture(scope="module")
def controllers(cluster: ApiServer, cluster_work: Path, helm_is_built: None) -> Iterator[Path]:
    """The kubeconfig of the controller's account, with the rights that the chart gives it and no others."""
    assert helm_is_built is None
    if not cluster.is_served(f"/api/v1/namespaces/{SYSTEM}"):
        cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SYSTEM}})
    eventually(lambda: cluster.is_served(f"/api/v1/namespaces/{SYSTEM}/serviceaccounts/default"))
    role = [*of_account(), restricted(OWN, SYSTEM)]
    for manifest in role:
        cluster.create(manifest)
    yield as_controller(cluster, cluster_work)
    take_away(cluster, USER)
    for manifest in role:
        if cluster.is_served(one(manifest)):
            cluster.delete(manifest)


@pytest.fixture
def declared(cluster: ApiServer, policy: Path) -> ApiServer:
    """The cluster with the policy's documents as custom resources."""
    for file in sorted(DEFINITIONS.glob("*.yaml")):
        cluster.create(yaml.safe_load(file.read_text()))
    eventually(lambda: all(cluster.is_served(f"/apis/{API_VERSION}/{plural(kind)}") for kind in KINDS))
    for name, text in files(policy):
        for _, resource in resources(name, text):
            cluster.create(resource)
    return cluster


@pytest.fixture
def places(policy: Path, tritons: EmbeddedFleet, controllers: Path, tmp_path: Path) -> Places:
    otlp, api = free_ports(2)
    settings = SETTINGS.model_copy(update={"devices": {"edge-module": None}})
    connections = Connections(
        cluster=ClusterConnection(servers=settings),
        gateways=tritons.connections.gateways,
        otlp=f"{HOST}:{otlp}",
        api=f"{HOST}:{api}",
    )
    return Places(policy, tmp_path / "journal.db", connections, kubeconfig=str(controllers), pod=Pod(OWN, SYSTEM))


@asynccontextmanager
async def at_work(places: Places, cluster: ApiServer, pool: Pool, tritons: EmbeddedFleet) -> AsyncIterator[Watched]:
    """A controller that finds behind the pod of each node the real Triton of that node."""
    real = servers_of(tritons.connections)

    known: dict[str, TritonServer] = {}

    def reach(address: str) -> TritonServer:
        # A pod that is deleted may be asked for until the informer has been told so.
        for node, pod in pods(cluster, pool).items():
            if pod.get("status", {}).get("podIP") == address:
                known[address] = real[pool.name, node]
        return known[address]

    async with controller(places, reach=reach) as running:
        yield Watched(running)


def is_marked(cluster: ApiServer) -> bool:
    """Whether the Service would lead to the controller's pod."""
    return LEADS in cluster.get(f"/api/v1/namespaces/{SYSTEM}/pods/{OWN}")["metadata"].get("labels", {})


def runs_on(status: Status) -> set[str]:
    return {load.node for load in status.decision.fleet.loads} if status.decision else set()


async def test_servers_stand_where_the_plan_wants_them_and_move_when_their_node_is_lost(
    places: Places, cluster: ApiServer, pool: Pool, tritons: EmbeddedFleet
) -> None:
    stand(cluster, pool)
    async with at_work(places, cluster, pool, tritons) as seen:
        await asyncio.to_thread(eventually, lambda: is_marked(cluster))
        await seen.until(lambda status: settled(status) and runs_on(status) == set(NODES))
        assert set(pods(cluster, pool)) == set(NODES)
        for (_, node), server in tritons.connections.by_node().items():
            assert {name.partition("--")[0] for name in await held_by(server)} == {MODEL}, node
        about = [each for each in seen.status.findings if each.id.startswith("GW21") and each.id != "GW2112"]
        assert about == [], "nodes of other tests are told of, and nothing else"
        lost = NODES[0]
        cluster.delete({"apiVersion": "v1", "kind": "Node", "metadata": {"name": lost}})
        await seen.until(lambda status: settled(status) and runs_on(status) == {NODES[1]})
        await asyncio.to_thread(eventually, lambda: set(pods(cluster, pool)) <= {NODES[1]})
        assert cluster.is_served(f"/api/v1/namespaces/{namespace_of(pool.name)}")
    assert not is_marked(cluster)


@pytest.fixture
def with_database(places: Places) -> Iterator[Places]:
    """The same with the journal in a PostgreSQL of its own."""
    with serving() as server:
        kept = server.emptied()
        database = DatabaseConnection(host=kept.host, port=kept.port, name=kept.name, user=kept.user, sslmode="disable")
        yield replace(places, connections=places.connections.model_copy(update={"database": database}))


async def test_a_policy_of_custom_resources_is_followed_and_told_what_became_of_it(
    with_database: Places, declared: ApiServer, pool: Pool, tritons: EmbeddedFleet
) -> None:
    stand(declared, replace(pool, nodes=1))  # the other node is there
    voice = f"/apis/{API_VERSION}/services/voice"

    def holds() -> dict[str, str]:
        conditions = declared.get(voice).get("status", {}).get("conditions", ())
        return {each["type"]: each["status"] for each in conditions}

    async with at_work(replace(with_database, policy=None), declared, pool, tritons) as seen:
        await seen.until(lambda status: settled(status) and runs_on(status) == set(NODES))
        await asyncio.to_thread(eventually, lambda: holds().get("Applied") == "True")
        assert (holds()["Accepted"], holds()["Feasible"]) == ("True", "True")
        declared.patch(voice, {"spec": {"objectives": [{"latency": {"percentile": 99, "below": "1ms"}}]}})
        await asyncio.to_thread(eventually, lambda: holds().get("Feasible") == "False")
        assert declared.get(voice)["status"]["observedGeneration"] == declared.get(voice)["metadata"]["generation"]
    with journal_read(with_database.kept_in) as reader:
        assert next(reader.decisions()).policy_revision
        assert list(reader.verify_chain()) == []
    assert not with_database.journal.exists()


def test_nothing_of_it_was_refused(controllers: Path, cluster_work: Path) -> None:
    assert controllers.is_file()
    done = asked(cluster_work)
    assert {"leases", "nodes", "pods", "statefulsets"} <= {right.resource for each in done for right in each.rights}
    # A leader asks by a dry run whether writes of other terms are refused by now.
    assert [each for each in done if each.status in {401, 403} and not each.is_dry_run] == []
