"""`gridwright profile` on a model of the embedded fleet that it has never seen: its time, its points, its errors.

The model is a real network that waits out the service time of a device whose curve bends, as GPUs' do. The command runs
as a user would run it. Then the full grid is measured, each batch size with each number of instances, and single
requests are sent at random times to one and two instances at 30, 50 and 70 % of their capacity: their p50, p95 and p99
were predicted from the profile and from the client's own way, measured on single requests. It prints tables and, as its
last line, a JSON object.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml
from measured_points import Point
from open_loop import HOST, get, offer
from open_loop_server import ROOT, Statistics, statistics
from point_score import score
from prediction_score import Scored, last_line, report
from rich.console import Console
from rich.table import Table

from controller.embedded.models.repository import ServedVariant, build_networks, build_repository
from controller.embedded.reaper import Reaper
from controller.embedded.triton import TritonServer, TritonSettings, assemble
from controller.performance.arrivals import poisson_us
from controller.performance.prediction import PERCENTILES
from controller.performance.serving import PYTHON_BACKEND_GAP, Batching, Load, PerBatch, ServiceTimes, capacity_rps
from controller.profiling.inputs import Tensor, made_up
from policy.documents.device_profile import DeviceProfileSpec

MODEL, VARIANT, MAX_BATCH = "silero-vad", "fp32", 8
PACE_US = tuple((batch, round(20_000 + 8_000 * batch**0.7)) for batch in range(1, MAX_BATCH + 1))
INPUTS = (Tensor("audio", "INT16", (64 + 16 * 512,)), Tensor("state", "FP32", (2, 128)))
INSTANCES = (1, 2, 4)
UTILISATIONS = (0.3, 0.5, 0.7)
CHECKED_INSTANCES = (1, 2)
REQUESTS = 2_500
ALONE = 200
EACH = 60
LONGEST_S = 300


@dataclass(frozen=True, slots=True)
class Subject:
    """The running server and its one model."""

    server: TritonServer

    @property
    def name(self) -> str:
        """What Triton calls the model."""
        return f"{MODEL}--{VARIANT}"

    def load(self, instances: int) -> None:
        """Serve it with so many instances and no queue delay."""
        config = json.loads(self._ask(f"/v2/models/{self.name}/config"))
        config["instance_group"] = [config["instance_group"][0] | {"count": instances}]
        body = json.dumps({"parameters": {"config": json.dumps(config)}}).encode()
        self._ask(f"/v2/repository/models/{self.name}/load", body)
        offer(self.server.endpoint.http, [self.request(1)] * 40, np.zeros(40), connections=2 * instances)

    def counted(self) -> Statistics:
        """What the server has counted of it."""
        return statistics(self._ask(f"/v2/models/{self.name}/stats"))

    def request(self, batch: int) -> bytes:
        """One with so many items, in Triton's binary form."""
        arrays = {name: np.stack([item] * batch) for name, item in made_up(INPUTS).items()}
        inputs = [
            {
                "name": tensor.name,
                "shape": list(arrays[tensor.name].shape),
                "datatype": tensor.datatype,
                "parameters": {"binary_data_size": arrays[tensor.name].nbytes},
            }
            for tensor in INPUTS
        ]
        head = json.dumps({"inputs": inputs, "parameters": {"binary_data_output": True}}).encode()
        body = head + b"".join(arrays[tensor.name].tobytes() for tensor in INPUTS)
        lines = [
            f"POST /v2/models/{self.name}/infer HTTP/1.1",
            f"Host: {HOST}",
            "Content-Type: application/octet-stream",
            f"Inference-Header-Content-Length: {len(head)}",
            f"Content-Length: {len(body)}",
        ]
        return ("\r\n".join(lines) + "\r\n\r\n").encode() + body

    def _ask(self, path: str, body: bytes | None = None) -> bytes:
        request = get(path)
        if body is not None:
            request = f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
        return offer(self.server.endpoint.http, [request], np.zeros(1), keep=[0]).bodies[0]


@contextmanager
def subject(work: Path) -> Iterator[Subject]:
    """A server of the embedded fleet that offers the model, until the block ends."""
    with ExitStack() as stack:
        installation = assemble(ROOT / ".venv-triton", work / "triton")
        build_networks(installation.packages, ROOT / ".venv-triton", ROOT / ".venv-triton" / "networks")
        served = ServedVariant(MODEL, VARIANT, PACE_US, max_batch=MAX_BATCH)
        build_repository(work / "models", ROOT / ".venv-triton" / "networks", [served])
        reaper = Reaper()
        stack.callback(reaper.close)
        server = TritonServer(installation, TritonSettings("lab", work / "models", work), reaper)
        stack.callback(server.stop)
        server.start()
        yield Subject(server)


def profiled(of: Subject, output: Path) -> tuple[dict[int, int], float, int]:
    """Service times in us by batch as the command's document has them, its seconds, and its points, checks aside."""
    gridwright = Path(sys.executable).with_name("gridwright")
    address = f"{HOST}:{of.server.endpoint.grpc}"
    asked = [
        str(gridwright),
        "profile",
        of.name,
        "--server",
        address,
        "--device",
        "lab",
        "--output",
        str(output),
        "--json",
    ]
    began_s = time.monotonic()
    done = subprocess.run(asked, check=False, capture_output=True, text=True, timeout=LONGEST_S)
    if done.returncode:
        raise SystemExit(f"error: gridwright profile ended with {done.returncode}\n{done.stderr}")
    measured = json.loads(done.stdout)["measured"]
    points = sum(len(measured[kind]) for kind in ("batches", "instances"))
    spec = DeviceProfileSpec.model_validate(yaml.safe_load(output.read_text(encoding="utf-8"))["spec"])
    times_us = {point.batch: point.time for point in spec.variants[0].service_time}
    return times_us, time.monotonic() - began_s, points


def full_grid(of: Subject) -> dict[tuple[int, int], float]:
    """Mean us of an execution by (instances, batch), each instance kept busy."""
    found = {}
    for instances in INSTANCES:
        of.load(instances)
        for batch in range(1, MAX_BATCH + 1):
            before = of.counted()
            requests = [of.request(batch)] * (EACH * instances)
            offer(of.server.endpoint.http, requests, np.zeros(len(requests)), connections=instances)
            times = [item for item in of.counted().since(before).times if item.batch == batch]
            found[instances, batch] = sum(item.total_us for item in times) / sum(item.executions for item in times)
    return found


def checked(of: Subject, curve_us: Sequence[float]) -> list[Scored]:
    """Open-loop runs against what the profile says of them."""
    of.load(1)
    before = of.counted()
    alone = offer(of.server.endpoint.http, [of.request(1)] * ALONE, np.zeros(ALONE), connections=1)
    counted = of.counted().since(before)
    reply_us = float(np.median(alone.answered_s - alone.sent_s)) * 1e6 - counted.success_us / counted.requests
    service = ServiceTimes(tuple(curve_us), 0.0, PYTHON_BACKEND_GAP, PerBatch(max(0.0, reply_us)))
    return [_run(of, service, instances, part) for instances in CHECKED_INSTANCES for part in UTILISATIONS]


def _run(of: Subject, service: ServiceTimes, instances: int, utilisation: float) -> Scored:
    batching = Batching(MAX_BATCH, speeds=(1.0,) * instances)
    rate_rps = utilisation * capacity_rps(service, batching)
    of.load(instances)
    due_s = poisson_us(rate_rps, REQUESTS, 17 + instances) / 1e6
    before = of.counted()
    offered = offer(of.server.endpoint.http, [of.request(1)] * REQUESTS, due_s)
    counted = of.counted().since(before)
    point = Point(
        name=f"{instances} x",
        profile=of.name,
        batching=batching,
        load=Load(rate_rps),
        spread=service.spread,
        times=counted.times,
        mean_reply_us=float(offered.latency_us.mean()) - counted.success_us / counted.requests,
        seen_us=tuple(np.percentile(offered.latency_us, PERCENTILES).tolist()),
        requests=REQUESTS,
        stalled=False,
        arrive_us=1e6 * due_s,
    )
    return score(point, service)


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="gridwright-bench-") as folder, subject(Path(folder)) as of:
        times_us, seconds, points = profiled(of, Path(folder) / "lab.yaml")
        print(f"gridwright profile took {seconds:.0f} s and {points} points, two checks aside: {times_us}", flush=True)
        curve_us = np.interp(np.arange(MAX_BATCH + 1), list(times_us), list(times_us.values()))
        grid_us = full_grid(of)
        scored = checked(of, curve_us.tolist())
    errors = {batch: float(curve_us[batch] / grid_us[1, batch] - 1) for batch in range(1, MAX_BATCH + 1)}
    table = Table("batch", "profile ms", "measured ms", "error %", title="service time")
    for batch, error in errors.items():
        row = (curve_us[batch] / 1000, grid_us[1, batch] / 1000, 100 * error)
        table.add_row(str(batch), *(f"{value:.2f}" for value in row))
    Console().print(table)
    result = report("open loop, predicted from the profile", scored)
    worst = max(abs(error) for error in errors.values())
    shown = {"seconds": round(seconds, 1), "profile_points": points, "grid_points": len(grid_us)}
    print(last_line({**shown, "worst_service_error_percent": round(100 * worst, 2), **result}))


if __name__ == "__main__":
    main()
