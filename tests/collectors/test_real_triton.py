"""The collectors against a real Triton: what it really answers, posts and does when it is killed."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from collectors.otlp.inbox import Inbox
from collectors.otlp.over_http import otlp_router
from collectors.otlp.receiver import TraceReceiver
from collectors.otlp.triton_spans import TritonSpans
from collectors.snapshot import LoadedModel, ModelState, StageWork
from collectors.triton_metrics import MetricsTarget, TritonMetrics
from collectors.triton_repository import RepositoryTarget, TritonRepository
from controller.embedded.errors import PartMissingError
from controller.embedded.ports import free_ports
from controller.embedded.reaper import Reaper
from controller.embedded.triton import Installation, TritonServer, TritonSettings, assemble

pytestmark = pytest.mark.triton

ROOT = Path(__file__).parents[2]
SLEEP_MS = 4
CONFIG = """
backend: "python"
max_batch_size: 4
input [{{name: "X" data_type: TYPE_FP32 dims: [1]}}]
output [{{name: "Y" data_type: TYPE_FP32 dims: [1]}}]
instance_group [{{count: 2 kind: KIND_CPU}}, {{count: {more} kind: KIND_CPU}}]
dynamic_batching {{max_queue_delay_microseconds: 300}}
"""
MODEL = """
import sys
sys.path.append({packages!r})
import time
import triton_python_backend_utils as backend

class TritonPythonModel:
    def execute(self, requests):
        time.sleep({sleep_ms} / 1000)
        answers = [backend.get_input_tensor_by_name(request, "X").as_numpy() for request in requests]
        return [backend.InferenceResponse([backend.Tensor("Y", answer)]) for answer in answers]
"""


def write_model(repository: Path, name: str, installation: Installation) -> None:
    folder = repository / name / "1"
    folder.mkdir(parents=True)
    (folder / "model.py").write_text(MODEL.format(packages=str(installation.packages), sleep_ms=SLEEP_MS))
    (folder.parent / "config.pbtxt").write_text(CONFIG.format(more=1))


@pytest.fixture(scope="module")
def otlp_port() -> int:
    return free_ports(1)[0]


@pytest.fixture(scope="module")
def triton(tmp_path_factory: pytest.TempPathFactory, otlp_port: int) -> Iterator[TritonServer]:
    work = tmp_path_factory.mktemp("triton")
    try:
        installation = assemble(ROOT / ".venv-triton", work)
    except PartMissingError as missing:
        pytest.skip(str(missing))
    for name in ("toy--fp32", "toy--half", "stray"):
        write_model(work / "models", name, installation)
    reaper = Reaper()
    url = f"http://127.0.0.1:{otlp_port}/otlp/edge/v1/traces"
    server = TritonServer(installation, TritonSettings("edge", work / "models", work, otlp_url=url), reaper)
    try:
        server.start()
        yield server
    finally:
        server.stop(grace_s=1.0)
        reaper.close()


class Fleet:
    """The server, and the collectors that read it."""

    def __init__(self, client: httpx.AsyncClient, triton: TritonServer) -> None:
        self._client = client
        self.base = f"http://127.0.0.1:{triton.endpoint.http}"
        metrics_url = f"http://127.0.0.1:{triton.endpoint.metrics}/metrics"
        self.metrics = TritonMetrics(client, [MetricsTarget("edge", metrics_url)])
        self.repository = TritonRepository(client, [RepositoryTarget("edge", self.base)])

    async def ask(self, path: str) -> None:
        (await self._client.post(f"{self.base}{path}", timeout=30)).raise_for_status()

    async def load(self, name: str) -> None:
        await self.ask(f"/v2/repository/models/{name}/load")

    async def unload(self, name: str) -> None:
        await self.ask(f"/v2/repository/models/{name}/unload")

    async def serve(self, requests: int) -> None:
        one = {"name": "X", "shape": [1, 1], "datatype": "FP32", "data": [1.0]}
        url = f"{self.base}/v2/models/toy--fp32/infer"
        answers = await asyncio.gather(*(self._client.post(url, json={"inputs": [one]}) for _ in range(requests)))
        assert {answer.status_code for answer in answers} == {200}

    async def models(self) -> dict[str, LoadedModel]:
        state = (await self.repository.collect(datetime.now(UTC))).server("edge").value
        assert state is not None
        return {f"{model.model}--{model.variant}": model for model in state.models}

    async def counters(self) -> StageWork | None:
        work = (await self.metrics.collect(datetime.now(UTC))).work
        return next((item.counters.value for item in work if item.variant == "fp32"), None)


@pytest.fixture
async def fleet(client: httpx.AsyncClient, triton: TritonServer) -> AsyncIterator[Fleet]:
    fleet = Fleet(client, triton)
    await fleet.load("toy--fp32")
    yield fleet
    if triton.is_running:
        await fleet.unload("toy--fp32")


async def test_the_index_and_the_settings_are_those_that_run(fleet: Fleet) -> None:
    models = await fleet.models()
    assert models["toy--fp32"] == LoadedModel("toy", "fp32", ModelState.READY, 3, 4, 300)
    assert models["toy--half"].state is ModelState.UNAVAILABLE
    assert "stray" not in models


async def test_counters_tell_exactly_what_was_served(fleet: Fleet) -> None:
    assert await fleet.counters() is None
    await fleet.serve(30)
    work = await fleet.counters()
    assert work is not None
    assert (work.requests, work.failures, work.pending) == (30, 0, 0)
    assert 30 / 4 <= work.executions <= 30
    assert work.compute_us >= 30 * SLEEP_MS * 1000
    assert work.window_s > 0


async def test_an_unloaded_variant_has_no_counters_and_no_finding(fleet: Fleet) -> None:
    await fleet.serve(1)
    assert len((await fleet.metrics.collect(datetime.now(UTC))).work) == 1
    await fleet.unload("toy--fp32")
    gone = await fleet.metrics.collect(datetime.now(UTC))
    while gone.work:  # it drains first
        await asyncio.sleep(0.05)
        gone = await fleet.metrics.collect(datetime.now(UTC))
    assert gone.findings == ()
    assert (await fleet.models())["toy--fp32"].state is ModelState.UNAVAILABLE


async def test_work_goes_on_being_counted_through_a_reload(fleet: Fleet) -> None:
    await fleet.counters()
    await fleet.serve(5)
    await fleet.unload("toy--fp32")
    await fleet.load("toy--fp32")
    await fleet.serve(3)
    work = await fleet.counters()
    assert work is not None
    assert work.requests in {3, 8}  # 3 when the counters began anew between two looks


@asynccontextmanager
async def receiving(receiver: TraceReceiver, port: int) -> AsyncIterator[None]:
    app = FastAPI()
    app.include_router(otlp_router(receiver))
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning", lifespan="off"))
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event to wait for
        await asyncio.sleep(0.02)
    yield
    server.should_exit = True
    await task


async def test_the_traces_that_it_posts_give_the_times_of_every_request(fleet: Fleet, otlp_port: int) -> None:
    inbox = Inbox()
    receiver = TraceReceiver(["edge"], inbox, Inbox())
    collector = TritonSpans(inbox, window=timedelta(seconds=60))
    async with receiving(receiver, otlp_port):
        began = datetime.now(UTC)
        await fleet.counters()
        await fleet.serve(25)
        counted = await fleet.counters()
        works = (await collector.collect(datetime.now(UTC))).work
        while not works or works[0].times.value is None or works[0].times.value.queue.count < 25:
            await asyncio.sleep(0.2)  # it posts every five seconds
            works = (await collector.collect(datetime.now(UTC))).work
    (work,) = works
    assert (work.pool, work.model, work.variant) == ("edge", "toy", "fp32")
    assert work.times.value is not None
    assert work.times.at is not None
    assert work.times.at > began
    assert work.times.value.compute.p50_us >= SLEEP_MS * 1000
    assert counted is not None
    assert work.times.value.queue.p50_us <= counted.queue_us
    assert (receiver.intake.refused_posts, receiver.intake.refused_spans) == (0, 0)


async def test_a_server_that_is_killed_is_missing_and_its_work_stale(fleet: Fleet, triton: TritonServer) -> None:
    await fleet.counters()
    await fleet.serve(5)
    before = (await fleet.metrics.collect(datetime.now(UTC))).work
    triton.kill()
    after = await fleet.metrics.collect(datetime.now(UTC))
    server = await fleet.repository.collect(datetime.now(UTC))
    assert after.work == before
    assert server.server("edge").value is None
    assert [finding.id for finding in (*after.findings, *server.findings)] == ["GW0501", "GW0501"]
