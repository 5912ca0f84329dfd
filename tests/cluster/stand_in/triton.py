"""The state of one Triton in explicit model control: what its repository has, and what is loaded and how."""

import asyncio
import json
import random
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from tests.cluster.stand_in.notes import Notes
from tests.cluster.stand_in.pages import NOT_FOUND, Page

Config = dict[str, Any]
FAMILIES = (
    "nv_inference_request_success",
    "nv_inference_request_failure",
    "nv_inference_exec_count",
    "nv_inference_queue_duration_us",
    "nv_inference_compute_input_duration_us",
    "nv_inference_compute_infer_duration_us",
    "nv_inference_compute_output_duration_us",
    "nv_inference_pending_request_count",
)


def as_stored(name: str) -> Config:
    """The configuration of a model as it stands in a repository."""
    batching = {"max_queue_delay_microseconds": 0}
    return {"name": name, "max_batch_size": 8, "instance_group": [{"count": 1}], "dynamic_batching": batching}


class Triton:
    """A server on `node`. A load takes up to `load_s`; while a loaded model is loaded anew it goes on as it was."""

    def __init__(self, node: str, models: Iterable[str], notes: Notes, load_s: float = 1.0) -> None:
        self.node = node
        self._notes = notes
        self._load_s = load_s
        self._ready: dict[str, Config] = {}
        self._loading: set[str] = set()
        self._one = {name: asyncio.Lock() for name in models}

    def knows(self, model: str) -> bool:
        """Whether its repository has a model."""
        return model in self._one

    async def load(self, model: str, config: Config | None) -> None:
        """Have a model loaded as its repository has it, or as `config` says."""
        wanted = config or as_stored(model)
        async with self._one[model]:
            is_new = self._ready.get(model) != wanted
            self._notes.note("load", node=self.node, model=model, config=wanted, is_new=is_new, done=False)
            self._loading.add(model)
            await asyncio.sleep(random.uniform(0.2, 1) * self._load_s)  # noqa: S311 -- as real ones do, no two alike
            self._loading.discard(model)
            self._ready[model] = wanted
            self._notes.note("load", node=self.node, model=model, config=wanted, is_new=is_new, done=True)

    async def unload(self, model: str) -> None:
        """Have a model loaded no more."""
        async with self._one[model]:
            is_new = self._ready.pop(model, None) is not None
            self._notes.note("unload", node=self.node, model=model, is_new=is_new)

    async def answer(self, method: str, path: str, body: bytes) -> Page:  # noqa: ARG002 -- nothing is asked by a body
        """The pages of its HTTP port that are asked for."""
        if (method, path) == ("POST", "/v2/repository/index"):
            return Page(json.dumps([self._entry(model) for model in self._one]).encode())
        if path == "/v2/models/stats":
            return Page(json.dumps({"model_stats": [{"name": each, "version": "1"} for each in self._ready]}).encode())
        model = path.removeprefix("/v2/models/").removesuffix("/config")
        if path.endswith("/config") and model in self._ready:
            return Page(json.dumps(self._ready[model]).encode())
        return Page(b"") if path.startswith("/v2/health/") else NOT_FOUND

    async def metrics(self, method: str, path: str, body: bytes) -> Page:  # noqa: ARG002 -- nothing is asked by a body
        """The page of its metrics port. Nobody sends it requests."""
        if path != "/metrics":
            return Page(b"", status=HTTPStatus.NOT_FOUND)
        lines = [f'{family}{{model="{model}",version="1"}} 0' for family in FAMILIES for model in self._ready]
        return Page("\n".join(("nv_cpu_utilization 0", *lines, "")).encode(), "text/plain; charset=utf-8")

    def _entry(self, model: str) -> dict[str, str]:
        if model in self._ready:
            return {"name": model, "version": "1", "state": "READY"}
        return {"name": model, "version": "1", "state": "LOADING"} if model in self._loading else {"name": model}
