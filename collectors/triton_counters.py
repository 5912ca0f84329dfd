"""What a Triton server's counters say of each model, whether they were scraped or queried."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from prometheus_client.samples import Sample

from collectors.catalogue import ignored_names, server_subject, unusable_families
from collectors.rates import Increase
from collectors.snapshot import Reading, StageTimes, StageWork, Work
from collectors.triton_names import model_and_variant
from policy.findings import Finding

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


def scrape(samples: Iterable[Sample]) -> Scrape:
    """Sort the samples of one instant; several label sets of a model (versions, devices, reasons) stay apart.

    Triton keeps exposing the failures of a model that it has unloaded: a model with nothing else is not there.
    """
    totals: dict[Series, int] = {}
    pending: dict[str, int] = defaultdict(int)
    usable: dict[str, set[str]] = defaultdict(set)
    broken: dict[str, set[str]] = defaultdict(set)
    for sample in samples:
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


@dataclass(frozen=True, slots=True)
class Counted:
    """The server that counts, as a `Server` tells it, and the source that its counters were read from."""

    pool: str
    node: str
    source: str


def works(
    server: Counted, found: Scrape, *, increase: Increase[Series] | None, at: datetime, last: Mapping[str, Work]
) -> tuple[dict[str, Work], list[Finding]]:
    """By Triton model name, the work of each variant that the server names at `at`, and what is wrong.

    Without an increase, or with families that cannot be used, a variant keeps its `last` reading and so becomes stale.
    """
    measured = stage_works(increase, found.pending) if increase else {}
    current: dict[str, Work] = {}
    ignored: list[str] = []
    for name in sorted({series[0] for series in found.totals} | set(found.unusable)):
        split = model_and_variant(name)
        if split is None:
            ignored.append(name)
            continue
        counters: Reading[StageWork] = last[name].counters if name in last else Reading(None, None, server.source)
        if name in measured and name not in found.unusable:
            counters = Reading(measured[name], at, server.source)
        times: Reading[StageTimes] = Reading(None, None, server.source)
        current[name] = Work(server.pool, *split, counters, times, server.node)
    subject = server_subject(server.pool, server.node)
    findings = [unusable_families(name, families, subject) for name, families in found.unusable.items()]
    return current, findings + ([ignored_names(ignored, subject)] if ignored else [])
