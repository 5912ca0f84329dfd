"""Requests and answers in the binary form of the KServe v2 protocol that Triton speaks over HTTP.

tritonclient's asyncio HTTP client imports the gevent one, which this process has no other use for; the form itself is
one JSON header and the bytes of the tensors.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

HEADER_LENGTH = "Inference-Header-Content-Length"
DATA_TYPES = {"uint8": "UINT8", "int16": "INT16", "float32": "FP32"}


def encode(inputs: Mapping[str, NDArray[np.generic]], outputs: Sequence[str]) -> tuple[bytes, dict[str, str]]:
    """The body and the headers of a request with one item in its batch; the outputs are wanted as JSON."""
    described = [
        {
            "name": name,
            "shape": [1, *array.shape],
            "datatype": DATA_TYPES[array.dtype.name],
            "parameters": {"binary_data_size": array.nbytes},
        }
        for name, array in inputs.items()
    ]
    wanted = [{"name": name, "parameters": {"binary_data": False}} for name in outputs]
    header = json.dumps({"inputs": described, "outputs": wanted}).encode()
    body = b"".join([header, *(np.ascontiguousarray(array).tobytes() for array in inputs.values())])
    return body, {HEADER_LENGTH: str(len(header)), "Content-Type": "application/octet-stream"}


def decode(body: bytes) -> dict[str, list[Any]]:
    """The outputs of a JSON answer by name, flat. Raises ValueError when it is not an answer of that form."""
    try:
        return {item["name"]: item["data"] for item in json.loads(body)["outputs"]}
    except (TypeError, KeyError) as error:
        raise ValueError(f"not an inference answer: {body[:200]!r}") from error
