"""What is sent: a sample from a file, or made up from the model's own metadata."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray
from tritonclient.utils import triton_to_np_dtype

MAX_BYTES: Final = 64 * 1024 * 1024
VARIABLE: Final = -1
SEED: Final = 1
TEXT: Final = b"gridwright"

Array = NDArray[Any]


class InputError(Exception):
    """No request can be made; the message names the input, and what is to be given."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """An input as a model declares it; `shape` is that of one item, -1 where any size is taken."""

    name: str
    datatype: str
    shape: tuple[int, ...]


def made_up(tensors: Sequence[Tensor]) -> dict[str, Array]:
    """One item of each input: uniform noise for numbers, a word for texts; a variable size counts as 1."""
    random = np.random.default_rng(SEED)
    made: dict[str, Array] = {}
    for tensor in tensors:
        shape = tuple(max(size, 1) for size in tensor.shape)
        if tensor.datatype == "BYTES":
            made[tensor.name] = np.full(shape, TEXT, dtype=object)
        else:
            made[tensor.name] = random.random(shape).astype(_dtype(tensor))
    return made


def read_sample(path: Path, tensors: Sequence[Tensor]) -> dict[str, Array]:
    """One item of each input from a .npz, or a JSON object of nested lists by name. Raises InputError."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path} is larger than {MAX_BYTES // 1024**2} MiB: give one item of each input")
        given = _arrays(path)
    except (OSError, ValueError, msgspec.MsgspecError) as error:
        raise InputError(
            f"{path} cannot be read as a sample ({error}): give a .npz file, or a JSON object of nested lists by name"
        ) from error
    return {tensor.name: _fitting(path, given, tensor) for tensor in tensors}


def _arrays(path: Path) -> Mapping[str, Array]:
    if path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    read = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    return {name: np.asarray(value) for name, value in read.items()}


def _fitting(path: Path, given: Mapping[str, Array], tensor: Tensor) -> Array:
    if tensor.name not in given:
        raise InputError(f"{path} has no {tensor.name}, which the model takes: add it")
    array = given[tensor.name]
    alike = len(array.shape) == len(tensor.shape) and all(
        wanted in {VARIABLE, size} for size, wanted in zip(array.shape, tensor.shape, strict=True)
    )
    if not alike:
        wanted = list(tensor.shape)
        raise InputError(f"{path}: {tensor.name} has the shape {list(array.shape)}: give one item, of shape {wanted}")
    if tensor.datatype == "BYTES":
        return np.array([str(item).encode() for item in array.flat], dtype=object).reshape(array.shape)
    return array.astype(_dtype(tensor))


def _dtype(tensor: Tensor) -> Any:
    dtype = triton_to_np_dtype(tensor.datatype)
    if dtype is None:
        raise InputError(f"{tensor.name} is of type {tensor.datatype}, which numpy has not: it cannot be profiled")
    return dtype
