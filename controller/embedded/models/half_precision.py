"""Store a network's weights in half precision: a second, smaller variant of the same network.

Runs in Triton's environment, which has the package `onnx`: `python half_precision.py SOURCE TARGET`. Every large float
tensor becomes half precision with a cast back beside it, so the arithmetic stays as published and only the stored
weights lose bits.
"""

import sys
from typing import Any

import numpy as np
import onnx  # type: ignore[import-not-found]  # lives in Triton's environment alone
from onnx import helper, numpy_helper

MIN_ELEMENTS = 256


def halve(graph: Any) -> None:
    """Halve the stored weights of a graph and of the graphs inside it, in place: this is a build step on a copy."""
    casts = [_stored_in_half(tensor, tensor.name) for tensor in graph.initializer if _is_large(tensor)]
    nodes = []
    for node in graph.node:
        inner = [item for item in node.attribute if item.type == onnx.AttributeProto.GRAPH]
        for item in inner:
            halve(item.g)
        value = next((item.t for item in node.attribute if item.name == "value"), None)
        nodes.append(node)
        if node.op_type == "Constant" and value is not None and _is_large(value):
            nodes.append(_stored_in_half(value, node.output[0]))
            node.output[0] = nodes[-1].input[0]
    del graph.node[:]
    graph.node.extend([*casts, *nodes])


def _is_large(tensor: Any) -> bool:
    return bool(tensor.data_type == onnx.TensorProto.FLOAT and np.prod(tensor.dims) >= MIN_ELEMENTS)


def _stored_in_half(tensor: Any, name: str) -> Any:
    stored = f"{name}.half"
    tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float16), stored))
    return helper.make_node("Cast", [stored], [name], to=onnx.TensorProto.FLOAT)


if __name__ == "__main__":
    network = onnx.load(sys.argv[1])
    halve(network.graph)
    onnx.save(network, sys.argv[2])
