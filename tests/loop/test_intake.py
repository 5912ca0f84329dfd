"""What a controller takes in, wired as the connections say: traces over gRPC, counters through a Prometheus."""

import asyncio
from pathlib import Path

import grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub

from controller.assembly import controller
from controller.connections.connections import Connections
from controller.connections.prometheus import PrometheusConnection
from controller.connections.servers import ServerConnection
from controller.embedded.ports import free_ports
from controller.loop.status import Status
from controller.places import Places
from policy.source import load
from tests.loop.real import EXAMPLE, copied_policy

WITHIN_S = 20


async def test_a_controller_takes_traces_over_grpc_and_asks_prometheus_for_counters(tmp_path: Path) -> None:
    policy = load(EXAMPLE).policy
    assert policy is not None
    api, otlp, otlp_grpc, away = (f"127.0.0.1:{port}" for port in free_ports(4))
    pools = [pool.name for pool in policy.pools]
    connections = Connections(
        servers={pool: ServerConnection(http=away, metrics=away, grpc=away, trace_rate=10) for pool in pools},
        prometheus=(PrometheusConnection(url=f"http://{away}", pools={pools[0]: {"instance": away}}),),
        api=api,
        otlp=otlp,
        otlp_grpc=otlp_grpc,
    )
    turned: asyncio.Future[Status] = asyncio.get_running_loop().create_future()

    def watch(status: Status) -> None:
        if status.turns and not turned.done():
            turned.set_result(status)

    async with (
        controller(Places(copied_policy(tmp_path), tmp_path / "journal.db", connections), watch),
        grpc.aio.insecure_channel(otlp_grpc) as channel,
    ):
        await TraceServiceStub(channel).Export(ExportTraceServiceRequest(), timeout=5)
        status = await asyncio.wait_for(turned, WITHIN_S)
    told = {
        (finding.message.partition(":")[0], finding.subject) for finding in status.findings if finding.id == "GW0501"
    }
    scraped = {("triton_metrics", f"pool {pool}") for pool in pools[1:]}
    assert {item for item in told if "metrics" in item[0]} == {("prometheus_metrics", f"pool {pools[0]}"), *scraped}
