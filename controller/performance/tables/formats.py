"""The three kinds of CSV that are read, each known by its columns.

* `published`: one table of many models and devices, latencies in ms (the columns of `PUBLISHED`).
* `model_analyzer`: Triton Model Analyzer's `metrics-model-inference.csv`, latencies in ms.
* `perf_analyzer`: what `perf_analyzer -f FILE` writes for one model, latencies in us. It states neither the model, the
  device nor the batch, so those come from `Unstated`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from controller.performance.tables.cells import Cells
from controller.performance.tables.measurement import Measurement, Setup

SETTINGS: Final = ("scenario", "model_format", "max_batch", "instances", "max_queue_delay", "seq_len")
RESULT: Final = re.compile(r"^GPU=|[^=]*\b(Score|Accuracy)=")
"""Parameters that differ by device: its name, and what was scored on it."""
PARTS: Final = (
    "Client Send",
    "Network+Server Send/Recv",
    "Server Queue",
    "Server Compute Input",
    "Server Compute Infer",
    "Server Compute Output",
    "Server Cache Hit",
    "Server Cache Miss",
    "Client Recv",
)
"""Where perf_analyzer says a request's time goes. It takes the network as what is left of the mean latency, so that
the parts sum to it (perf_analyzer's report_writer.cc)."""
OUTSIDE_US: Final = ("Client Send", "Network+Server Send/Recv", "Client Recv")
OUTSIDE_MS: Final = ("client_send_ms", "network_ms", "client_recv_ms")
"""The parts that are spent outside the server."""


@dataclass(frozen=True, slots=True)
class Unstated:
    """What a table's own columns do not tell."""

    model: str = ""
    device: str = ""
    batch: int = 1


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of table: the columns that a table of this kind must have, and how a line becomes a measurement."""

    name: str
    columns: tuple[str, ...]
    read: Callable[[Cells, Unstated], Measurement | None]


def _published(cells: Cells, _: Unstated) -> Measurement:
    pairs = [part for part in cells.text("params").split(";") if part and not RESULT.search(part)]
    settings = [(name, cells.text(name)) for name in SETTINGS] + [("params", ";".join(pairs))]
    engine = "+".join(part for name in ("backend", "backend_accel") if (part := cells.text(name)) not in {"", "-"})
    return Measurement(
        cells.line,
        Setup(cells.text("model"), engine, cells.text("precision"), tuple(settings)),
        device=cells.text("gpu"),
        batch=cells.count("client_batch"),
        concurrency=cells.count("concurrency"),
        throughput_ips=cells.number("throughput_ips"),
        avg_ms=cells.number_if_any("avg_ms"),
        p50_ms=cells.number_if_any("p50_ms"),
        p90_ms=cells.number_if_any("p90_ms"),
        p95_ms=cells.number_if_any("p95_ms"),
        p99_ms=cells.number_if_any("p99_ms"),
        outside_ms=_sum_if_any(cells, OUTSIDE_MS),
    )


def _model_analyzer(cells: Cells, unstated: Unstated) -> Measurement:
    config = cells.text("Model Config Path") or cells.text("Model Config")
    settings = (
        ("config", config),
        ("instances", cells.text("Instance Group")),
        ("max_batch", cells.text("Max Batch Size")),
    )
    return Measurement(
        cells.line,
        Setup(cells.text("Model"), settings=settings),
        device=unstated.device,
        batch=cells.count("Batch"),
        concurrency=cells.count("Concurrency"),
        throughput_ips=cells.number("Throughput (infer/sec)"),
        avg_ms=cells.number_if_any("Avg Latency (ms)"),
        p50_ms=None,
        p90_ms=cells.number_if_any("p90 Latency (ms)"),
        p95_ms=cells.number_if_any("p95 Latency (ms)"),
        p99_ms=cells.number_if_any("p99 Latency (ms)"),
    )


def _perf_analyzer(cells: Cells, unstated: Unstated) -> Measurement | None:
    throughput_ips = cells.duration("Inferences/Second")
    if throughput_ips == 0:  # perf_analyzer writes such a line for a load at which nothing was completed
        return None
    parts_us = sum(cells.duration(name) for name in PARTS)
    avg_us = cells.number_if_any("Avg latency") or parts_us or None
    p50, p90, p95, p99 = (cells.number_if_any(f"p{rank} latency") for rank in (50, 90, 95, 99))
    return Measurement(
        cells.line,
        Setup(unstated.model),
        device=unstated.device,
        batch=unstated.batch,
        concurrency=cells.count("Concurrency"),
        throughput_ips=throughput_ips,
        avg_ms=_ms(avg_us),
        p50_ms=_ms(p50),
        p90_ms=_ms(p90),
        p95_ms=_ms(p95),
        p99_ms=_ms(p99),
        outside_ms=_ms(_sum_if_any(cells, OUTSIDE_US)),
    )


def _sum_if_any(cells: Cells, columns: tuple[str, ...]) -> float | None:
    durations = [cells.duration(name) for name in columns if cells.text(name)]
    return sum(durations) if durations else None


def _ms(time_us: float | None) -> float | None:
    return None if time_us is None else time_us / 1000


FORMATS: Final = (
    Format("published", ("model", "gpu", "client_batch", "concurrency", "throughput_ips", "avg_ms"), _published),
    Format("model_analyzer", ("Model", "Batch", "Concurrency", "Throughput (infer/sec)"), _model_analyzer),
    Format("perf_analyzer", ("Concurrency", "Inferences/Second", "p99 latency"), _perf_analyzer),
)
