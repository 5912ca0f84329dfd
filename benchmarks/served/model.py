"""A model for Triton's Python backend that takes a stated time: base_us + each_us * b for a batch of b requests.

The time is slept, or computed when `computes` is 1, and scattered lognormally with the coefficient of variation
`spread`, mean kept. A request's X is the permille of the time that it asks for, as a longer text would; the longest
one counts.
"""

import json
import math
import random
import time
from typing import Any

import triton_python_backend_utils as backend


class TritonPythonModel:
    """What the backend looks for."""

    def initialize(self, args: dict[str, str]) -> None:
        """Read the times from the model's parameters."""
        given = {
            name: float(item["string_value"]) for name, item in json.loads(args["model_config"])["parameters"].items()
        }
        self.base_s, self.each_s = given["base_us"] / 1e6, given["each_us"] / 1e6
        self.computes = given["computes"] == 1
        self.sigma = math.sqrt(math.log1p(given["spread"] ** 2))
        self.numbers = random.Random()  # noqa: S311 - a scatter, not a secret

    def execute(self, requests: list[Any]) -> list[Any]:
        """Take the time, and answer each request with its input."""
        inputs = [backend.get_input_tensor_by_name(request, "X") for request in requests]
        asked = max(int(item.as_numpy().flat[0]) for item in inputs) / 1000
        factor = self.numbers.lognormvariate(-(self.sigma**2) / 2, self.sigma) if self.sigma else 1.0
        time_s = (self.base_s + self.each_s * len(requests)) * asked * factor
        if self.computes:
            end_s = time.thread_time() + time_s
            while time.thread_time() < end_s:
                pass
        else:
            time.sleep(time_s)
        return [backend.InferenceResponse([backend.Tensor("Y", item.as_numpy())]) for item in inputs]
