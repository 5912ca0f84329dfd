"""A model on a running Triton, spoken to over gRPC."""

import asyncio
import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import httpx
import msgspec
import numpy as np
from prometheus_client.parser import text_string_to_metric_families
from tritonclient.grpc import InferInput
from tritonclient.grpc.aio import InferenceServerClient

from collectors.fetch import Limits, SourceError, fetch
from collectors.snapshot import BatchTime, ModelState
from collectors.triton_config import ModelConfig, loaded_model
from controller.acting.waiting import until
from controller.performance.serving import PYTHON_BACKEND_GAP, Batching, PerBatch
from controller.profiling.counted import added, batch_times
from controller.profiling.described import LOAD_S, TROUBLES, Described, ServerError, words
from controller.profiling.inputs import Array
from controller.profiling.loops import closed_loop, open_loop, warm_up
from controller.profiling.measured import Run
from controller.profiling.running import ResizeError

ANSWER_S: Final = 30.0
GPU_MEMORY: Final = "nv_gpu_memory_used_bytes"
MIB: Final = 1024 * 1024


class TritonModel:
    """One model; `sample` is one item of each of its inputs."""

    def __init__(
        self,
        client: InferenceServerClient,
        described: Described,
        sample: Mapping[str, Array],
        metrics: Callable[[], "asyncio.Future[bytes]"] | None = None,
    ) -> None:
        self._client = client
        self._described = described
        self._sample = sample
        self._metrics = metrics
        self.resized = False

    @property
    def batching(self) -> Batching:
        """As it is configured, with one instance where their number can be changed."""
        described = self._described
        config = msgspec.convert(described.config, ModelConfig, strict=False)
        found = loaded_model(("", ""), ModelState.READY, config)
        instances = 1 if self.resized else max(1, found.instances)
        batching = Batching(speeds=(1.0,) * instances, at_once=found.at_once)
        if config.dynamic_batching is None:
            return batching
        preferred = tuple(map(int, described.config["dynamic_batching"].get("preferred_batch_size", ())))
        return replace(
            batching,
            max_batch=described.max_batch,
            queue_delay_us=float(found.queue_delay_us),
            preferred=preferred,
            levels=found.levels,
            level=found.level,
        )

    @property
    def gap(self) -> PerBatch:
        """That of its backend; only the Python one's is known."""
        return PYTHON_BACKEND_GAP if self._described.config.get("backend") == "python" else PerBatch()

    async def closed_loop(
        self, batch: int, clients: int, done: Callable[[Sequence[float]], bool], seconds: float
    ) -> Run:
        """See `running.Server`; a few requests of each client come first and do not count."""
        send = self._sender(batch)
        await warm_up(send, clients)
        before = await self._counted()
        began_s = time.monotonic()
        latencies_us, failed = await closed_loop(send, clients, done, seconds)
        took_s = time.monotonic() - began_s
        return Run(tuple(latencies_us), failed, took_s, added(before, await self._counted()))

    async def open_loop(self, due_s: Sequence[float]) -> tuple[Run, float]:
        """See `running.Server`. Runs with one instance where the number can be changed."""
        if self.resized:
            await self.resize(1)
        send = self._sender(1)
        await warm_up(send, 1)
        latencies_us, failed, late_us = await open_loop(send, due_s)
        return Run(tuple(latencies_us), failed, float(due_s[-1])), late_us

    async def resize(self, instances: int) -> int:
        """See `running.Server`: unload, and load with the configuration that it has, but for its instances."""
        config = dict(self._described.config)
        group = dict((config.get("instance_group") or [{}])[0])
        config["instance_group"] = [group | {"count": instances}]
        try:
            await self._client.unload_model(self._described.name, client_timeout=LOAD_S)
            self.resized = True
            async with asyncio.timeout(LOAD_S):
                await until(self._gone)
            began_s = time.monotonic()
            await self._client.load_model(self._described.name, config=json.dumps(config), client_timeout=LOAD_S)
        except TROUBLES as error:
            await self.restore()
            raise ResizeError(
                f"{instances} instances were not loaded ({words(error)}): start the server with "
                "--model-control-mode=explicit, and see its log"
            ) from error
        return round(1e6 * (time.monotonic() - began_s))

    async def restore(self) -> None:
        """Load the model with the configuration that it was found with, if that was changed."""
        if self.resized:
            with suppress(*TROUBLES):
                config = json.dumps(self._described.config)
                await self._client.load_model(self._described.name, config=config, client_timeout=LOAD_S)
                self.resized = False

    async def memory_mib(self) -> int | None:
        """See `running.Server`: the sum over the GPUs that the metrics page names."""
        if self._metrics is None:
            return None
        try:
            page = (await self._metrics()).decode()
            samples = [item for family in text_string_to_metric_families(page) for item in family.samples]
        except (SourceError, ValueError):
            return None
        used = [item.value for item in samples if item.name == GPU_MEMORY]
        return round(sum(used) / MIB) if used else None

    async def _gone(self) -> bool:
        return not await self._client.is_model_ready(self._described.name)

    def _sender(self, batch: int) -> Callable[[], Any]:
        inputs = []
        for tensor in self._described.inputs:
            item = self._sample[tensor.name]
            array = np.stack([item] * batch) if self._described.has_batches else item
            made = InferInput(tensor.name, list(array.shape), tensor.datatype)
            made.set_data_from_numpy(array)
            inputs.append(made)

        async def send() -> bool:
            try:
                await self._client.infer(self._described.name, inputs, client_timeout=ANSWER_S)
            except TROUBLES:
                return False
            return True

        return send

    async def _counted(self) -> tuple[BatchTime, ...]:
        try:
            answer = await self._client.get_inference_statistics(self._described.name, as_json=True)
        except TROUBLES as error:
            raise ServerError(f"its statistics cannot be read ({words(error)}): see the server's log") from error
        return tuple(item for model in answer.get("model_stats", ()) for item in batch_times(model))


def metrics_page(client: httpx.AsyncClient, address: str) -> Callable[[], Any]:
    """How to read the metrics page at `host:port`, within a second's bound."""
    return lambda: fetch(client, "GET", f"http://{address}/metrics", Limits(total=timedelta(seconds=2)))
