"""What a prediction costs: simulated from nothing, and looked up in a surface. Compiling is not counted.

The peer in the same run is the cheapest prediction that there is: the mean of an M/D/c queue by the formula of Allen
and Cunneen, computed once for each option in plain Python. It prints a table and, as its last line, a JSON object.
"""

import json
import math
import time
from collections.abc import Callable
from typing import Final

import numpy as np
from rich.console import Console
from rich.table import Table

from controller.performance.serving import Batching, Load, ServiceTimes, latencies_us
from controller.performance.surface import quantiles, shape_of, surface_of

REQUESTS: Final = 30_000
ROUNDS: Final = 200


def least_us(call: Callable[[int], object], rounds: int = ROUNDS) -> float:
    """The processor time of a call in us, the least of some: what else runs on the machine only ever adds."""
    best = math.inf
    for at in range(rounds):
        begun = time.process_time_ns()
        call(at)
        best = min(best, time.process_time_ns() - begun)
    return best / 1000


def formula_us(at: int) -> float:
    """Mean latency of four servers with fixed service times."""
    servers, load = 4, 0.5 + at / 10_000
    offered = servers * load
    terms = [offered**k / math.factorial(k) for k in range(servers)]
    last = offered**servers / math.factorial(servers) / (1 - load)
    return 1000 * (1 + last / (sum(terms) + last) / (2 * servers * (1 - load)))


def main() -> None:
    """Measure and print."""
    service = ServiceTimes((0.0, *(4000.0 + 1000 * b for b in range(1, 9))))
    batching = Batching(8, speeds=(1.0, 1.0))
    delayed = Batching(8, queue_delay_us=500.0, speeds=(1.0, 1.0))
    shape = shape_of(tuple(4000 + 1000 * b for b in range(1, 9)), 2, 1)
    surface_of(shape)
    figures = {
        "simulated_us": least_us(
            lambda _: np.percentile(latencies_us(service, batching, Load(900.0), REQUESTS), (50, 95, 99))
        ),
        "with_delay_us": least_us(
            lambda _: np.percentile(latencies_us(service, delayed, Load(900.0), REQUESTS), (50, 95, 99))
        ),
        "looked_up_us": least_us(lambda at: quantiles(shape, 0.3 + at / 400), 10 * ROUNDS),
        "formula_us": least_us(formula_us, 10 * ROUNDS),
        "surface_us": least_us(lambda at: surface_of(shape_of((3000 + 300 * at, 9000), 1, 1)), 5),
    }
    figures["looked_up_per_second"] = 1e6 / figures["looked_up_us"]
    meanings = {
        "simulated_us": f"one prediction simulated, {REQUESTS:,} requests, three percentiles",
        "with_delay_us": "the same with a queue delay, which takes following every event",
        "looked_up_us": "one prediction looked up: 1,000 quantiles",
        "formula_us": "peer: the mean alone, by formula",
        "surface_us": "one surface, 10 loads",
        "looked_up_per_second": "predictions a second from surfaces",
    }
    table = Table(title="the cost of a prediction, processor time on one core")
    table.add_column("what")
    table.add_column("figure", justify="right")
    for name, meaning in meanings.items():
        table.add_row(meaning, f"{figures[name]:,.1f}" + ("" if name.endswith("second") else " us"))
    Console(width=110).print(table)
    print(json.dumps({name: round(value, 1) for name, value in figures.items()}))


if __name__ == "__main__":
    main()
