"""Tables of measurements whose truth is known."""

from collections.abc import Callable

from controller.performance.tables.measurement import Measurement, Setup

A100 = "NVIDIA DGX A100 (1x A100 80GB)"
V100 = "NVIDIA DGX-1 (1x V100 32GB)"
A40 = "NVIDIA A40"
T4 = "NVIDIA T4"


def measured(
    mean_ms: float,
    *,
    tail_ms: float | None = None,
    batch: int = 1,
    concurrency: int = 1,
    model: str = "net",
    device: str = A100,
    engine: str = "TensorRT",
    precision: str = "FP16",
    outside_ms: float | None = None,
) -> Measurement:
    throughput_ips = 1000 * batch * concurrency / mean_ms
    tail = 1.2 * mean_ms if tail_ms is None else tail_ms
    setup = Setup(model, engine, precision)
    return Measurement(
        0, setup, device, batch, concurrency, throughput_ips, mean_ms, None, None, None, tail, outside_ms
    )


def sweep_over_concurrency(
    mean_ms: Callable[[int], float], concurrencies: range, **stated: str
) -> tuple[Measurement, ...]:
    return tuple(measured(mean_ms(n), concurrency=n, **stated) for n in concurrencies)


def sweep_over_batch(mean_ms: Callable[[int], float], batches: list[int], **stated: str) -> tuple[Measurement, ...]:
    return tuple(measured(mean_ms(b), batch=b, **stated) for b in batches)
