"""When requests arrive: Poisson arrivals whose rate follows a real trace, drawn tick by tick so that it can change."""

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

TRACE = Path(__file__).parent / "data" / "azure_llm_2023_code_rate.csv"


def trace_shape() -> NDArray[np.float64]:
    """The relative rate by second, with mean 1; `data/SOURCES.md` says where it is from."""
    with TRACE.open(newline="") as file:
        permille = [int(row["relative_rate_permille"]) for row in csv.DictReader(file)]
    shape: NDArray[np.float64] = np.array(permille, dtype=np.float64) / np.mean(permille)
    return shape


def rate_rps(shape: NDArray[np.float64], at_s: float, mean_rps: float, depth: float) -> float:
    """The rate at a time since the start; the shape repeats. `depth` 1 is the trace as recorded, 0 its mean alone."""
    return mean_rps * max(0.0, 1 + depth * (float(shape[int(at_s) % len(shape)]) - 1))


def arrivals(numbers: np.random.Generator, start_s: float, length_s: float, rate: float) -> NDArray[np.float64]:
    """The arrival times of a Poisson process of `rate` in [start, start + length), sorted."""
    count = numbers.poisson(rate * length_s)
    return np.sort(start_s + numbers.random(count) * length_s)
