"""The whole controller in a real cluster: servers are pods on played nodes, and behind each is a real Triton."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from controller.cluster.names import BACKEND, LEADS, ROUTES, SYSTEM, namespace_of
from controller.cluster.routes.settings import GatewaySettings
from controller.cluster.routes.told import told
from controller.connections.database import DatabaseConnection
from controller.embedded.errors import PartMissingError
from controller.embedded.fleet import EmbeddedFleet, embedded_fleet
from controller.embedded.ports import free_ports
from controller.journal.reader import reading as journal_read
from controller.places import Places
from policy.documents import API_VERSION, KINDS
from policy.resolved import Pool
from policy.schema.crd import plural
from policy.schema.files import DEFINITIONS
from policy.source import load
from tests.cluster.api_server import ORPHANED_S, ApiServer, Manifest, eventually
from tests.cluster.contour import GROUP, NAME, NAMESPACE, contour, define
from tests.cluster.controlling import OWN, accounted, at_work, places_of, runs_on
from tests.cluster.fleet import is_ready, pods, stand
from tests.cluster.role import asked
from tests.cluster.whole import played
from tests.cluster.written import files, resources
from tests.journal.postgresql import serving
from tests.loop.conftest import ENVIRONMENT
from tests.loop.real import held_by, settled
from tests.loop.test_lost_node import MODEL, NODES, written

pytestmark = [pytest.mark.cluster, pytest.mark.triton, pytest.mark.envoy]


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
    assert helm_is_built is None
    with accounted(cluster, cluster_work) as kubeconfig:
        yield kubeconfig


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
    return places_of(policy, tritons, controllers, tmp_path)


def is_marked(cluster: ApiServer) -> bool:
    """Whether the Service would lead to the controller's pod."""
    return LEADS in cluster.get(f"/api/v1/namespaces/{SYSTEM}/pods/{OWN}")["metadata"].get("labels", {})


async def test_servers_stand_where_the_plan_wants_them_and_move_when_their_node_is_lost(
    places: Places, cluster: ApiServer, pool: Pool, tritons: EmbeddedFleet
) -> None:
    stand(cluster, pool)
    async with at_work(places, cluster, tritons) as seen:
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
        await asyncio.to_thread(eventually, lambda: set(pods(cluster, pool)) <= {NODES[1]}, ORPHANED_S)
        assert cluster.is_served(f"/api/v1/namespaces/{namespace_of(pool.name)}")
    assert not is_marked(cluster)


async def test_a_node_that_is_replaced_under_its_name_gets_a_server_of_its_own(
    places: Places, cluster: ApiServer, pool: Pool, tritons: EmbeddedFleet
) -> None:
    stand(cluster, replace(pool, nodes=1))  # the other node is there
    async with at_work(places, cluster, tritons) as seen:
        await seen.until(lambda status: settled(status) and runs_on(status) == set(NODES))
        before = {node: pod["metadata"]["uid"] for node, pod in pods(cluster, pool).items()}
        replaced, other = NODES
        path = f"/api/v1/nodes/{replaced}"
        old = cluster.get(path)["metadata"]["uid"]
        await asyncio.sleep(1)  # Kubernetes tells when a pod came to a node, and when a node joined, in whole seconds
        cluster.delete({"apiVersion": "v1", "kind": "Node", "metadata": {"name": replaced}})
        stand(cluster, replace(pool, nodes=1))
        assert cluster.get(path)["metadata"]["uid"] != old
        await asyncio.to_thread(eventually, lambda: is_another(pods(cluster, pool).get(replaced), before[replaced]))
        await seen.until(lambda status: settled(status) and runs_on(status) == set(NODES))
        assert pods(cluster, pool)[other]["metadata"]["uid"] == before[other]


def is_another(pod: Manifest | None, uid: str) -> bool:
    """Whether there is a pod that is ready and another one than before."""
    return pod is not None and is_ready(pod) and pod["metadata"]["uid"] != uid


@pytest.fixture
def with_database(places: Places) -> Iterator[Places]:
    """The same with the journal in a PostgreSQL of its own."""
    with serving() as server:
        kept = server.emptied()
        database = DatabaseConnection(host=kept.host, port=kept.port, name=kept.name, user=kept.user, sslmode="disable")
        yield replace(places, connections=places.connections.model_copy(update={"database": database}))


async def test_a_policy_of_custom_resources_is_followed_and_told_what_became_of_it(
    with_database: Places, declared: ApiServer, tritons: EmbeddedFleet
) -> None:
    voice = f"/apis/{API_VERSION}/services/voice"

    def holds() -> dict[str, str]:
        conditions = declared.get(voice).get("status", {}).get("conditions", ())
        return {each["type"]: each["status"] for each in conditions}

    async with at_work(replace(with_database, policy=None), declared, tritons) as seen:
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


@pytest.fixture
def routed(places: Places, cluster: ApiServer, cluster_work: Path) -> Iterator[Places]:
    """The controller's places where a Gateway of the cluster has the routes, and Contour looks after it."""
    assert places.connections.cluster is not None
    define(cluster)
    xds, http, grpc = free_ports(3)
    gateways = {"hall": GatewaySettings(namespace=NAMESPACE, name=NAME, section="http")}
    within = places.connections.cluster.model_copy(update={"gateways": gateways})
    connections = places.connections.model_copy(update={"cluster": within, "gateways": ()})
    with contour(cluster, cluster_work, xds=xds, http=http, grpc=grpc):
        yield replace(places, connections=connections)


def led_to(cluster: ApiServer) -> dict[str, int]:
    """By Service, the weights of the only route; empty while there is none that its Gateway takes."""
    items = cluster.get(f"/apis/{GROUP}/namespaces/{ROUTES}/httproutes")["items"]
    if not all(told(each).is_followed for each in items):
        return {}
    return {
        ref["name"]: ref["weight"] for each in items for rule in each["spec"]["rules"] for ref in rule["backendRefs"]
    }


def ready_behind(cluster: ApiServer, pool: Pool) -> dict[str, list[bool]]:
    """By Service of one server, whether what it leads to is ready."""
    items = cluster.get(f"/apis/discovery.k8s.io/v1/namespaces/{namespace_of(pool.name)}/endpointslices")["items"]
    named = {each["metadata"]["labels"]["kubernetes.io/service-name"]: each["endpoints"] for each in items}
    return {
        name: [each["conditions"]["ready"] for each in endpoints]
        for name, endpoints in named.items()
        if name.startswith(BACKEND)
    }


async def test_routes_of_a_gateway_lead_to_what_runs_and_away_from_what_is_lost(
    routed: Places, cluster: ApiServer, pool: Pool, tritons: EmbeddedFleet
) -> None:
    for node in sorted(set(NODES) - {each["metadata"]["name"] for each in cluster.get("/api/v1/nodes")["items"]}):
        cluster.create(played(node, pool.name, **{"ephemeral-storage": "100Gi"}))
    async with at_work(routed, cluster, tritons) as seen:
        await seen.until(lambda status: settled(status) and runs_on(status) == set(NODES))
        assert led_to(cluster) == {f"server-{node}": 500_000 for node in NODES}
        ours = {each.id for each in seen.status.findings if each.id.startswith("GW216")}
        assert ours == set()
        assert ready_behind(cluster, pool) == {f"server-{node}": [True] for node in NODES}
        cluster.delete({"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODES[0]}})
        await seen.until(lambda status: settled(status) and runs_on(status) == {NODES[1]})
        assert led_to(cluster) == {f"server-{NODES[1]}": 1_000_000}
        services = f"/api/v1/namespaces/{namespace_of(pool.name)}/services/server-{NODES[0]}"
        await asyncio.to_thread(eventually, lambda: not cluster.is_served(services))


def test_nothing_of_it_was_refused(controllers: Path, cluster_work: Path) -> None:
    assert controllers.is_file()
    done = asked(cluster_work)
    assert {"leases", "nodes", "pods", "statefulsets"} <= {right.resource for each in done for right in each.rights}
    # A leader asks by a dry run whether writes of other terms are refused by now.
    assert [each for each in done if each.status in {401, 403} and not each.is_dry_run] == []
