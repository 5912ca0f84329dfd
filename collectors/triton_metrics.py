"""What each variant does on each pool's Triton, from the counters at its metrics port."""

import asyncio
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import httpx

from collectors.catalogue import ignored_names, source_trouble, unusable_families
from collectors.exposition import samples
from collectors.fetch import Limits, SourceError, fetch
from collectors.rates import CounterWindow, Increase
from collectors.snapshot import Reading, Snapshot, StageTimes, StageWork, Work, merge
from collectors.triton_names import model_and_variant
from policy.findings import Finding

PREFIX: Final = "nv_inference_"
SIGN: Final = "nv_"  # a server without models has none of the families, but others
PENDING: Final = "nv_inference_pending_request_count"
FAILURE: Final = "nv_inference_request_failure"
# family -> the field of StageWork that it adds to
COUNTERS: Final = {
    "nv_inference_request_success": "requests",
    FAILURE: "failures",
    "nv_inference_exec_count": "executions",
    "nv_inference_queue_duration_us": "queue_us",
    "nv_inference_compute_input_duration_us": "compute_us",
    "nv_inference_compute_infer_duration_us": "compute_us",
    "nv_inference_compute_output_duration_us": "compute_us",
}

Series = tuple[str, str, tuple[tuple[str, str], ...]]
"""One time series: a Triton model name, a family, and all labels."""


@dataclass(frozen=True, slots=True)
class Scrape:
    """What a server says at one instant, by Triton model name.

    `unusable` holds the families that a model should have and has not, or has with a value that is no count (such as
    NaN); nothing may be concluded about such a model.
    """

    totals: Mapping[Series, int]
    pending: Mapping[str, int]
    unusable: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class MetricsTarget:
    """Where the server of a pool exposes its metrics, such as `http://127.0.0.1:8002/metrics`."""

    pool: str
    url: str


def parse(body: bytes, source: str) -> Scrape:
    """Read an exposition; several label sets of a model (versions, devices, reasons of failure) stay apart.

    Triton keeps exposing the failures of a model that it has unloaded: a model with nothing else is not there.

    Raises:
        SourceError: GARBLED or LARGE.
    """
    totals: dict[Series, int] = {}
    pending: dict[str, int] = defaultdict(int)
    usable: dict[str, set[str]] = defaultdict(set)
    broken: dict[str, set[str]] = defaultdict(set)
    for sample in samples(body, source, PREFIX, SIGN):
        name = sample.labels.get("model")
        if not name or (sample.name not in COUNTERS and sample.name != PENDING):
            continue
        if not math.isfinite(sample.value) or sample.value < 0:
            broken[name].add(sample.name)
            continue
        usable[name].add(sample.name)
        if sample.name == PENDING:
            pending[name] += int(sample.value)
        else:
            totals[name, sample.name, tuple(sorted(sample.labels.items()))] = int(sample.value)
    loaded = {name for name in {*usable, *broken} if (usable[name] | broken[name]) - {FAILURE}}
    families = {*COUNTERS, PENDING}
    unusable = {name: tuple(sorted(broken[name] | (families - usable[name]))) for name in sorted(loaded)}
    return Scrape(
        totals={series: total for series, total in totals.items() if series[0] in loaded},
        pending=pending,
        unusable={name: bad for name, bad in unusable.items() if bad},
    )


def stage_works(increase: Increase[Series], pending: Mapping[str, int]) -> dict[str, StageWork]:
    """By Triton model name, the sums over its label sets."""
    sums: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(COUNTERS.values(), 0))
    for (name, family, _), gained in increase.gained.items():
        sums[name][COUNTERS[family]] += gained
    return {
        name: StageWork(window_s=increase.window_s, pending=pending.get(name, 0), **fields)
        for name, fields in sums.items()
    }


class TritonMetrics:
    """Scrapes every pool's server.

    While a server is away, or a model's families cannot be used, the last reading stands with its old instant and so
    becomes stale. A model that the server no longer names has no reading.
    """

    name = "triton_metrics"

    def __init__(
        self,
        client: httpx.AsyncClient,
        targets: Sequence[MetricsTarget],
        window: timedelta = timedelta(seconds=10),
        limits: Limits | None = None,
    ) -> None:
        self._client = client
        self._limits = limits or Limits()
        self._targets = {target: CounterWindow[Series](window) for target in targets}
        self._last: dict[str, dict[str, Work]] = {target.pool: {} for target in targets}

    async def collect(self, now: datetime) -> Snapshot:
        """The work of every variant that a server names."""
        return merge(now, await asyncio.gather(*(self._read(target, now) for target in self._targets)))

    async def _read(self, target: MetricsTarget, now: datetime) -> Snapshot:
        try:
            scrape = parse(await fetch(self._client, "GET", target.url, self._limits), target.url)
        except SourceError as error:
            finding = source_trouble(error, self.name, f"pool {target.pool}")
            return Snapshot(now, work=tuple(self._last[target.pool].values()), findings=(finding,))
        self._targets[target].add(now, scrape.totals)
        works, findings = self._judge(target, scrape, now)
        self._last[target.pool] = works
        return Snapshot(now, work=tuple(works.values()), findings=tuple(findings))

    def _judge(self, target: MetricsTarget, scrape: Scrape, now: datetime) -> tuple[dict[str, Work], list[Finding]]:
        increase = self._targets[target].increase()
        measured = stage_works(increase, scrape.pending) if increase else {}
        works: dict[str, Work] = {}
        ignored: list[str] = []
        for name in sorted({series[0] for series in scrape.totals} | set(scrape.unusable)):
            split = model_and_variant(name)
            if split is None:
                ignored.append(name)
                continue
            if name in measured and name not in scrape.unusable:
                counters: Reading[StageWork] = Reading(measured[name], now, target.url)
            else:
                counters = self._last_counters(target, name)
            times: Reading[StageTimes] = Reading(None, None, self.name)
            works[name] = Work(target.pool, *split, counters, times)
        findings = [unusable_families(name, families, target.pool) for name, families in scrape.unusable.items()]
        return works, findings + ([ignored_names(ignored, target.pool)] if ignored else [])

    def _last_counters(self, target: MetricsTarget, name: str) -> Reading[StageWork]:
        last = self._last[target.pool].get(name)
        return last.counters if last else Reading(None, None, target.url)
