"""What is known of devices (`devices.csv`), and how fast that makes one for a network.

Arithmetic is that of data sheets, and dense: sparsity counts for nothing. `fp32_matmul_tflops` is that of TF32 where
tensor cores have it. Bandwidth is what large copies were measured to reach: memories differ in how much of their peak
that is (T4 77 % of 320 GB/s, V100 88 % of 900). Board power bounds what is sustained: a board does no more arithmetic
for a watt than the flagship of its silicon process does at its own peak and power. T4 (12 nm, 70 W) sustains 29 of its
65 TFLOPS by this; a long matrix product was seen to reach 24 (forums.developer.nvidia.com, topic 264462).
"""

import csv
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

from controller.nearest import nearest

CATALOGUE: Final = Path(__file__).with_name("devices.csv")


class UnknownDeviceError(Exception):
    """No row of the catalogue fits a device's name. The message tells where to add one."""


@dataclass(frozen=True, slots=True)
class Device:
    """A device's public facts. `flagship` is what bounds its arithmetic a watt.

    `source` names the data sheet, `bandwidth_source` who measured the bandwidth.
    """

    name: str
    pattern: str
    fp16_tflops: float
    fp32_matmul_tflops: float
    fp32_tflops: float
    bandwidth_gb_s: float
    memory_gb: float
    power_w: float
    flagship: str
    source: str
    bandwidth_source: str


@dataclass(frozen=True, slots=True)
class Mix:
    """How a network's time depends on the logarithms of three rates: matrix arithmetic, other arithmetic, bandwidth.

    `power_limited` says whether the matrix rate is the sustained or the peak one.
    """

    matrix: float
    vector: float
    bandwidth: float
    power_limited: bool


@cache
def catalogue() -> Mapping[str, Device]:
    """All devices by name."""
    with CATALOGUE.open(newline="", encoding="utf-8") as file:
        return {row["device"]: _device(row) for row in csv.DictReader(file)}


def _device(row: Mapping[str, str]) -> Device:
    numbers = {name: float(value) for name, value in row.items() if name.endswith(("_tflops", "_gb_s", "_gb", "_w"))}
    return Device(
        row["device"],
        row["pattern"],
        **numbers,
        flagship=row["flagship"],
        source=row["source"],
        bandwidth_source=row["bandwidth_source"],
    )


@lru_cache(maxsize=1024)
def device_named(name: str) -> Device:
    """The device that a table means by a name such as `NVIDIA DGX A100 (1x A100 80GB)`. Raises UnknownDeviceError."""
    found = next((device for device in catalogue().values() if re.search(device.pattern, name)), None)
    if found is None:
        hint = nearest(name, catalogue())
        raise UnknownDeviceError(f"no facts of the device '{name}' are known: add a row to {CATALOGUE.name}; {hint}")
    return found


def log_speed(device: Device, precision: str, mix: Mix) -> float:
    """The logarithm of a device's speed for networks of a precision, up to a constant that is the same for all."""
    matrix = device.fp32_matmul_tflops if precision.upper() == "FP32" else device.fp16_tflops
    if mix.power_limited:
        matrix *= _sustained_share(device)
    return (
        mix.matrix * math.log(matrix)
        + mix.vector * math.log(device.fp32_tflops)
        + mix.bandwidth * math.log(device.bandwidth_gb_s)
    )


def _sustained_share(device: Device) -> float:
    """What part of its peak matrix rate a board's power sustains."""
    flagship = catalogue()[device.flagship]
    return min(1.0, device.power_w * flagship.fp16_tflops / flagship.power_w / device.fp16_tflops)
