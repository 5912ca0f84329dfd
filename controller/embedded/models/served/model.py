"""A real network behind Triton's Python backend, at the pace of the device that its pool stands for.

The model's parameters: `kind` (which network), `network` (the ONNX file), and `pace_us`, JSON points
[[batch, service time in us], ...]. With points, a batch takes at least the time between them, interpolated linearly:
the real inference comes first, then the rest of the time is waited out once for the whole batch. Without, a batch takes
as long as this machine needs.
"""

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils  # type: ignore[import-not-found]  # Triton's stub brings it
from networks import open_network  # type: ignore[import-not-found]  # lies beside this file in the repository


class TritonPythonModel:
    """The name and the methods that Triton's Python backend looks for."""

    def initialize(self, args: dict[str, str]) -> None:
        """Load the network that the configuration names."""
        config = json.loads(args["model_config"])
        values = {name: item["string_value"] for name, item in config["parameters"].items()}
        folder = Path(args["model_repository"]) / args["model_version"]
        self._network = open_network(values["kind"], folder / values["network"])
        self._inputs = [item["name"] for item in config["input"]]
        self._outputs = [item["name"] for item in config["output"]]
        self._pace = json.loads(values.get("pace_us") or "[]")

    def execute(self, requests: list[Any]) -> list[Any]:
        """Serve one dynamic batch: all requests in one inference."""
        started = time.perf_counter()
        tensors = [[pb_utils.get_input_tensor_by_name(item, name).as_numpy() for name in self._inputs] for item in requests]
        sizes = [item[0].shape[0] for item in tensors]
        inputs = {name: np.concatenate([item[at] for item in tensors]) for at, name in enumerate(self._inputs)}
        outputs = self._network(inputs)
        responses, start = [], 0
        for size in sizes:
            part = [pb_utils.Tensor(name, outputs[name][start : start + size]) for name in self._outputs]
            responses.append(pb_utils.InferenceResponse(output_tensors=part))
            start += size
        self._wait_out(started, sum(sizes))
        return responses

    def _wait_out(self, started: float, batch: int) -> None:
        if self._pace:
            batches, times_us = zip(*self._pace, strict=True)
            rest_s = np.interp(batch, batches, times_us) / 1e6 - (time.perf_counter() - started)
            if rest_s > 0:
                time.sleep(rest_s)
