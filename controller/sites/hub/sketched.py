"""What a site's sketches keep, read here and not by the library that makes them.

The library's reader goes by the numbers that it is given, and ends the process where these are not true. A site may be
in strange hands, so each length is held against what came. The form is that of `req_sketch` in Apache DataSketches,
serial version 1: a preamble, then by level the values that are kept, each of which stands for two to the level.

SketchError
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from collectors.windows import RANKS

MOST_SKETCH_BYTES: Final = 65_536
_PREAMBLE: Final = struct.Struct("<BBBBHBB")
"""Longs of the preamble, serial version, family, flags, k, levels, values that stand without a level."""
_RANGE_BYTES: Final = 16
"""How many were observed, the least and the most; where there is more than one level."""
_LEVEL: Final = struct.Struct("<QfBBHI")
"""State, size of a section, binary order of the weight, sections, nothing, values."""
_SERIAL_VERSION: Final = 1
_FAMILY: Final = 17
_EMPTY, _BARE = 1 << 2, 1 << 4
_VALUE_BYTES: Final = 4
_MOST_ORDER: Final = 32


class SketchError(Exception):
    """Bytes that are no sketch of times. The message tells why."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Values in us, and how many observations each stands for: both int64, of shape (values,)."""

    values_us: NDArray[np.int64]
    weights: NDArray[np.int64]

    @property
    def observed(self) -> int:
        """How many were observed."""
        return int(self.weights.sum())


def kept_in(body: bytes) -> Kept:
    """What a serialised sketch keeps. Raises SketchError."""
    if len(body) > MOST_SKETCH_BYTES:
        raise SketchError(f"it has {len(body)} bytes, over {MOST_SKETCH_BYTES}")
    _, serial_version, family, flags, _, levels, bare = _numbers(_PREAMBLE, body, 0)
    if (serial_version, family) != (_SERIAL_VERSION, _FAMILY):
        raise SketchError(f"it is of family {family}, version {serial_version}")
    at, found = _PREAMBLE.size + (_RANGE_BYTES if levels > 1 else 0), []
    if not flags & _EMPTY:
        if flags & _BARE:
            found.append(_values(body, at, bare, 0))
        else:
            for _ in range(levels):
                _, _, order, _, _, count = _numbers(_LEVEL, body, at)
                found.append(_values(body, at + _LEVEL.size, count, order))
                at += _LEVEL.size + count * _VALUE_BYTES
    return together(found)


def together(parts: Iterable[Kept]) -> Kept:
    """All of them as one, by value."""
    nothing = np.zeros(0, np.int64)
    found = (Kept(nothing, nothing), *parts)
    values_us = np.concatenate([each.values_us for each in found])
    order = values_us.argsort(kind="stable")
    return Kept(values_us[order], np.concatenate([each.weights for each in found])[order])


def quantiles_us(kept: Kept) -> tuple[int, int, int]:
    """At each of `RANKS`, the least value with as much weight up to it; of one value at least."""
    up_to = kept.weights.cumsum()
    wanted = np.ceil(np.array(RANKS) * up_to[-1] * (1 - 1e-12))  # rounding must not pass a step
    p50_us, p95_us, p99_us = (int(value) for value in kept.values_us[np.searchsorted(up_to, wanted)])
    return p50_us, p95_us, p99_us


def _values(body: bytes, at: int, count: int, order: int) -> Kept:
    if at + count * _VALUE_BYTES > len(body) or order > _MOST_ORDER:
        raise SketchError(f"it tells of {count} values of order {order}, which it has not")
    values_us = np.frombuffer(body, "<i4", count, at).astype(np.int64)
    if (values_us < 0).any():
        raise SketchError("it has times below zero")
    return Kept(values_us, np.full(count, 1 << order, np.int64))


def _numbers(form: struct.Struct, body: bytes, at: int) -> tuple[int, ...]:
    if at + form.size > len(body):
        raise SketchError("it is cut off")
    return form.unpack_from(body, at)
