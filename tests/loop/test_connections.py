"""The connections document: what is read, and what every mistake in it is told like."""

from pathlib import Path

import pytest

from controller.connections.addresses import split_address
from controller.connections.connections import journal_place
from controller.connections.reading import ConnectionsError, read_connections, write_connections
from controller.journal.place import Database
from policy.source import load

GOOD = """
servers:
  edge-paris-cpu: {http: "127.0.0.1:8000", grpc: "127.0.0.1:8001", metrics: "127.0.0.1:8002"}
gateways:
  - {admin: "127.0.0.1:9901", routes: routes, origins: {edge-paris: "127.0.0.1:10000"}}
"""

PROMETHEUS = """
prometheus:
  - url: "http://127.0.0.1:9090"
    pools: {edge-paris-cpu: {instance: "127.0.0.1:8002"}}
    bearerTokenFile: token
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "connections.yaml"
    path.write_text(text)
    return path


def test_a_document_is_read_and_its_route_folder_is_next_to_it(tmp_path: Path) -> None:
    connections = read_connections(written(tmp_path, GOOD))
    assert connections.by_node()["edge-paris-cpu", ""].http == "127.0.0.1:8000"
    assert connections.gateways[0].routes == tmp_path / "routes"


DATABASE = """
database: {host: 127.0.0.1, user: keeper, passwordFile: password, caFile: ca.pem}
"""


def test_a_database_keeps_the_journal_with_its_files_next_to_the_document(tmp_path: Path) -> None:
    connections = read_connections(written(tmp_path, GOOD + DATABASE))
    assert journal_place(connections, Path("journal.sqlite")) == Database(
        "127.0.0.1", 5432, "gridwright", "keeper", tmp_path / "password", tmp_path / "ca.pem", is_tls=True
    )
    assert journal_place(read_connections(written(tmp_path, GOOD)), Path("journal.sqlite")) == Path("journal.sqlite")


def test_the_folder_of_a_socket_is_no_address(tmp_path: Path) -> None:
    text = "database: {host: /run/postgresql, sslmode: disable}"
    assert read_connections(written(tmp_path, GOOD + text)).database is not None


def test_a_pools_counters_may_come_from_a_prometheus_with_its_files_next_to_the_document(tmp_path: Path) -> None:
    (prometheus,) = read_connections(written(tmp_path, GOOD + PROMETHEUS)).prometheus
    assert prometheus.pools == {"edge-paris-cpu": {"instance": "127.0.0.1:8002"}}
    assert (prometheus.bearer_token_file, prometheus.ca_file) == (tmp_path / "token", None)
    assert prometheus.address == "127.0.0.1:9090"


def test_what_is_written_is_read_back_the_same(tmp_path: Path) -> None:
    connections = read_connections(written(tmp_path, GOOD + PROMETHEUS + "otlpGrpc: '127.0.0.1:4317'"))
    write_connections(connections, tmp_path / "again.json")
    assert read_connections(tmp_path / "again.json") == connections


BY_NODE = GOOD.replace(
    '{http: "127.0.0.1:8000", grpc: "127.0.0.1:8001", metrics: "127.0.0.1:8002"}',
    """
    traceRate: 10
    nodes:
      edge-paris-cpu-0: {http: "127.0.0.1:8000", grpc: "127.0.0.1:8001", metrics: "127.0.0.1:8002"}
      edge-paris-cpu-1: {http: "127.0.0.1:8010", grpc: "127.0.0.1:8011", metrics: "127.0.0.1:8012"}""",
)
NODES_OF_PROMETHEUS = PROMETHEUS.replace(
    "{instance:", "{nodes: {edge-paris-cpu-0: {job: triton}, edge-paris-cpu-1: {instance:"
).replace('8002"}}', '8002"}}}}')


def test_a_pool_may_have_a_server_on_each_node(tmp_path: Path) -> None:
    connections = read_connections(written(tmp_path, BY_NODE + NODES_OF_PROMETHEUS))
    servers = connections.by_node()
    assert {key: server.http for key, server in servers.items()} == {
        ("edge-paris-cpu", "edge-paris-cpu-0"): "127.0.0.1:8000",
        ("edge-paris-cpu", "edge-paris-cpu-1"): "127.0.0.1:8010",
    }
    assert connections.servers["edge-paris-cpu"].trace_rate == 10
    assert connections.prometheus[0].labels()["edge-paris-cpu", "edge-paris-cpu-0"] == {"job": "triton"}
    write_connections(connections, tmp_path / "again.json")
    assert read_connections(tmp_path / "again.json") == connections


IN_A_CLUSTER = """
cluster:
  servers: {image: triton, repository: {claim: models}, devices: {}}
  gateways:
    edge-paris: {namespace: edge, name: rooms, hostnames: [a.example]}
    edge-lyon: {namespace: edge, name: rooms, hostnames: [b.example]}
"""


def test_an_example_names_a_gateway_for_every_origin() -> None:
    examples = Path(__file__).parents[2] / "examples" / "dispatch"
    cluster = read_connections(examples / "connections.json").cluster
    policy = load(examples).policy
    assert cluster is not None
    assert policy is not None
    assert cluster.gateways.keys() == {origin.site for service in policy.services for origin in service.origins}
    assert {pool.device for pool in policy.pools} <= cluster.servers.devices.keys()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("servers: {}", "name the servers, or a cluster or sites that have them"),
        ("servers: {a: {http: '127.0.0.1:8000', grpc: '127.0.0.1:8001'}}", "servers.a.metrics: Field required"),
        (
            "servers: {a: {http: '127.0.0.1', grpc: '127.0.0.1:2', metrics: '127.0.0.1:1'}}",
            "write host:port, such as 127.0.0.1:8000",
        ),
        ("servers: {a: {http: '127.0.0.1:70000', grpc: '127.0.0.1:2', metrics: '127.0.0.1:1'}}", "is not an address"),
        (
            "servers: {a: {http: '10.0.0.1:80', grpc: '127.0.0.1:2', metrics: '127.0.0.1:1'}}",
            "connections.yaml: 10.0.0.1:80 is not on this machine's loopback",
        ),
        ("servers: {a: {htp: '127.0.0.1:80'}}", "servers.a.htp: Extra inputs are not permitted"),
        ("[1, 2", "neither YAML nor JSON"),
        ("a: &a [1]\nb: *a", "aliases are not taken"),
        (
            GOOD + "  - {admin: '127.0.0.1:9902', routes: r, origins: {edge-paris: '127.0.0.1:10001'}}",
            "edge-paris is named by two gateways",
        ),
        (GOOD + PROMETHEUS.replace("edge-paris-cpu", "nowhere"), "nowhere has a Prometheus and no server"),
        (GOOD + DATABASE.replace("127.0.0.1", "10.0.0.5"), "10.0.0.5:5432 is not on this machine"),
        (
            GOOD + "database: {host: db.example.org, sslmode: disable}\nbeyondLoopback: true",
            "db.example.org would get what is kept in the clear: use sslmode: verify-full",
        ),
        (GOOD + "database: {host: 127.0.0.1, sslmode: prefer}", "database.sslmode"),
        (GOOD + PROMETHEUS + PROMETHEUS.replace("prometheus:", ""), "edge-paris-cpu is read from two Prometheus"),
        (
            GOOD + PROMETHEUS.replace("http://127.0.0.1:9090", "https://10.0.0.1"),
            "10.0.0.1:443 is not on this",
        ),
        (GOOD + PROMETHEUS.replace("http://", ""), "write https://host:port"),
        (GOOD + PROMETHEUS.replace("http://", "http://me:secret@"), "credentials aside"),
        (GOOD + PROMETHEUS.replace("instance", "'a-b'"), "String should match pattern"),
        (GOOD + PROMETHEUS + "    basicAuthFile: basic\n", "not both"),
        (
            GOOD + PROMETHEUS.replace("127.0.0.1:9090", "10.0.0.1:9090") + "beyondLoopback: true\n",
            "would get credentials in the clear",
        ),
        (BY_NODE.replace("http:", "htp:", 1), "servers.edge-paris-cpu.nodes.edge-paris-cpu-0.http: Field required"),
        (BY_NODE.replace("127.0.0.1:8010", "10.0.0.1:8010"), "10.0.0.1:8010 is not on this machine's loopback"),
        ("servers: {a: {nodes: {}}}", "servers.a.nodes: Dictionary should have at least 1 item"),
        (BY_NODE + PROMETHEUS, "edge-paris-cpu has labels in a Prometheus and no server: give a pool's labels as"),
        (
            BY_NODE + NODES_OF_PROMETHEUS.replace("edge-paris-cpu-1", "elsewhere"),
            "edge-paris-cpu/elsewhere has labels in a Prometheus and no server",
        ),
        (GOOD + "otlpGrpc: '10.0.0.1:4317'", "10.0.0.1:4317 is not on this machine's loopback"),
        (GOOD + IN_A_CLUSTER, "keep one of the two"),
        (IN_A_CLUSTER.replace("b.example", "a.example"), "requests from edge-paris and from edge-lyon come in alike"),
        (IN_A_CLUSTER.replace("name: rooms", "nome: rooms", 1), "cluster.gateways.edge-paris.name: Field required"),
        (IN_A_CLUSTER.replace("b.example", "B!"), "cluster.gateways.edge-lyon.hostnames.0: String should match"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConnectionsError) as caught:
        read_connections(written(tmp_path, text))
    assert told in str(caught.value)
    assert str(tmp_path) in str(caught.value)


def test_other_addresses_are_taken_when_the_document_says_that_they_are_meant(tmp_path: Path) -> None:
    text = GOOD.replace("127.0.0.1:8000", "triton.paris.example:8000") + "beyondLoopback: true\n"
    assert read_connections(written(tmp_path, text)).by_node()["edge-paris-cpu", ""].http == "triton.paris.example:8000"


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ConnectionsError, match="give the file that `gridwright up` wrote"):
        read_connections(tmp_path / "none.yaml")


def test_an_enormous_file_is_refused_unread(tmp_path: Path) -> None:
    with pytest.raises(ConnectionsError, match="over 1048576 bytes"):
        read_connections(written(tmp_path, "#" * 2_000_000))


def test_an_address_may_be_ipv6() -> None:
    assert split_address("[::1]:8000") == ("::1", 8000)
