"""What each variant does on each Triton, from the counters that a Prometheus has scraped there.

The samples are asked for as they were scraped, with their instants, and not as rates that PromQL would extrapolate: the
same rules for resets, gaps and missing families then hold as for a direct scrape (`triton_counters`). `up` tells the
servers that Prometheus cannot scrape from those that hold no model.
"""

import asyncio
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final

from prometheus_client.samples import Sample

from collectors.catalogue import server_subject, source_trouble
from collectors.fetch import Limits, SourceError, Trouble
from collectors.prometheus_api import PrometheusApi, PrometheusEndpoint, RangeSeries
from collectors.rates import CounterWindow, Increase
from collectors.snapshot import Snapshot, Work, merge
from collectors.triton_counters import COUNTERS, PENDING, Counted, Scrape, Series, scrape, works

NAME: Final = "__name__"
UP: Final = "up"
RANGE_S: Final = 120
"""How far back the samples are asked for: servers that are scraped every 60 s still show two of them."""
SAME_SCRAPE: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class PrometheusTarget:
    """The server of a node, or of a whole pool, and the labels by which Prometheus knows it, such as `instance`."""

    pool: str
    labels: tuple[tuple[str, str], ...]
    node: str = ""

    @property
    def query(self) -> str:
        """PromQL for the raw samples of its families."""
        names = "|".join((UP, PENDING, *COUNTERS))
        matchers = [f'{NAME}=~"{names}"', *(f"{label}={json.dumps(value)}" for label, value in self.labels)]
        return f"{{{','.join(matchers)}}}[{RANGE_S}s]"


@dataclass(frozen=True, slots=True)
class Scraped:
    """What Prometheus knows of a server: when it scraped it last, what it got, and what was gained over the window."""

    at: datetime
    last: Scrape
    increase: Increase[Series] | None


def scraped(found: Sequence[RangeSeries], source: str, window: timedelta) -> Scraped:
    """Put the series of one server together, scrape by scrape.

    The window is longer when the server is scraped so rarely that it would hold one sample alone.

    Raises:
        SourceError: GARBLED when the labels select no server or several, AWAY when the last scrape failed.
    """
    ups = [series for series in found if series.metric.get(NAME) == UP and series.values]
    if len(ups) != 1:
        hint = "give the labels that select the pool's server and no other, such as its instance"
        raise SourceError(Trouble.GARBLED, f"{source} knows {len(ups)} servers by the labels of the pool", hint)
    last_s, alive = ups[0].values[-1]
    if float(alive) != 1:
        hint = "see the page of its targets there, and whether the server runs"
        raise SourceError(Trouble.AWAY, f"{source} could not scrape the server", hint)
    at = datetime.fromtimestamp(last_s, UTC)
    scrapes = {when: scrape(samples) for when, samples in _by_instant(found).items()}
    steps = [later - earlier for earlier, later in pairwise(datetime.fromtimestamp(s, UTC) for s, _ in ups[0].values)]
    counters = CounterWindow[Series](max(window, 1.5 * min(steps, default=window)))
    for when in sorted(scrapes):
        counters.add(when, scrapes[when].totals)
    newest = max(scrapes, default=None)
    if newest is None or at - newest > SAME_SCRAPE:
        return Scraped(at, scrape(()), None)
    return Scraped(newest, scrapes[newest], counters.increase())


def _by_instant(found: Sequence[RangeSeries]) -> Mapping[datetime, list[Sample]]:
    """Prometheus gives all samples of a scrape one instant."""
    samples: dict[datetime, list[Sample]] = defaultdict(list)
    for series in found:
        name = series.metric.get(NAME, "")
        if name != UP:
            for second, value in series.values:
                samples[datetime.fromtimestamp(second, UTC)].append(Sample(name, series.metric, float(value)))
    return samples


class PrometheusMetrics:
    """Asks for every server, one after the other and for all of them in the time of one exchange.

    A reading is as old as its newest sample: the clocks of Prometheus and of the controller are compared by it. While
    Prometheus is away, or cannot scrape a server, the last reading stands with its old instant and so becomes stale.
    """

    name = "prometheus_metrics"

    def __init__(
        self,
        endpoint: PrometheusEndpoint,
        targets: Sequence[PrometheusTarget],
        window: timedelta = timedelta(seconds=10),
        limits: Limits | None = None,
    ) -> None:
        self._api = PrometheusApi(endpoint, limits or Limits())
        self._targets = tuple(targets)
        self._window = window
        self._last: dict[PrometheusTarget, dict[str, Work]] = {target: {} for target in targets}

    async def collect(self, now: datetime) -> Snapshot:
        """The work of every variant that Prometheus saw on a server at its last scrape."""
        return merge(now, await asyncio.gather(*(self._read(target, now) for target in self._targets)))

    async def _read(self, target: PrometheusTarget, now: datetime) -> Snapshot:
        last = self._last[target]
        try:
            seen = self._seen(await self._api.query(target.query))
        except SourceError as error:
            finding = source_trouble(error, self.name, server_subject(target.pool, target.node))
            return Snapshot(now, work=tuple(last.values()), findings=(finding,))
        at = min(seen.at, now)
        counted = Counted(target.pool, target.node, self._api.url)
        current, findings = works(counted, seen.last, increase=seen.increase, at=at, last=last)
        self._last[target] = current
        return Snapshot(now, work=tuple(current.values()), findings=tuple(findings))

    def _seen(self, found: Sequence[RangeSeries]) -> Scraped:
        try:
            return scraped(found, self._api.url, self._window)
        except (ValueError, OverflowError, OSError) as error:
            hint = "check that the address is that of a Prometheus HTTP API"
            raise SourceError(Trouble.GARBLED, f"{self._api.url} gave no sample: {error}", hint) from error
