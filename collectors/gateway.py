"""What arrives at each origin for each service, from the counters of its gateway (Envoy).

Envoy's counters of routes and virtual clusters count what went upstream or came back. A request that is delayed, finds
no route or finds its server dead is in neither in time, yet it is demand. What counts a request as it comes in is the
`enabled` counter of Envoy's local rate limit filter, which needs to limit nothing: each route of a first stage carries
that filter's settings with `filter_enforced` at 0 and `arrivals_stat(...)` as its `stat_prefix`.
"""

import asyncio
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote

import httpx

from collectors.catalogue import source_trouble, uncounted_arrivals
from collectors.exposition import samples
from collectors.fetch import Limits, SourceError, fetch
from collectors.rates import CounterWindow, Increase
from collectors.snapshot import Offered, Rate, Reading, Snapshot, merge
from policy.findings import Finding
from policy.resolved import Service, Stage

FAMILY: Final = "envoy_http_local_rate_limit_enabled"
LABEL: Final = "envoy_local_http_ratelimit_prefix"
SIGN: Final = "envoy_server_live"
FILTER: Final = r"http_local_rate_limit\.enabled$|^server\.live$"
MILLI: Final = 1000


def arrivals_stat(origin: str, service: str, stage: str) -> str:
    """What the gateway's configuration must call the counter of a stage's arrivals from an origin."""
    return f"{origin}/{service}/{stage}"


def first_stage(service: Service) -> Stage:
    """The stage whose calls tell how many requests arrived: the first that waits for no other."""
    return next(stage for stage in service.stages if not stage.after)


@dataclass(frozen=True, slots=True)
class Arriving:
    """A service as its arrivals are counted: at `origins`, by calls of one stage, `calls` of them for each request."""

    name: str
    origins: frozenset[str]
    stage: str
    calls: int

    def stat(self, origin: str) -> str:
        """What counts them at an origin."""
        return arrivals_stat(origin, self.name, self.stage)


def arriving(services: Iterable[Service]) -> tuple[Arriving, ...]:
    """Services of a policy as their arrivals are counted."""
    return tuple(
        Arriving(item.name, frozenset(place.site for place in item.origins), first.name, first.fanout)
        for item in services
        for first in [first_stage(item)]
    )


def rate(increase: Increase[str], stat: str, calls: int) -> Rate:
    """The rate of requests that make `calls` calls each. A request whose calls have not all come is not counted yet.

    Of one that came the rate is never 0, which means that nobody asked.
    """
    gained = increase.gained[stat]
    milli_rps = round(gained * MILLI / (increase.window_s * calls))
    return Rate(max(milli_rps, min(1, gained)), gained // calls, increase.window_s)


@dataclass(frozen=True, slots=True)
class GatewayTarget:
    """A gateway's admin address, such as `http://127.0.0.1:9901`, and the origins whose requests come in there."""

    admin: str
    origins: tuple[str, ...]


class Gateways:
    """Reads every gateway. `services` tells which services there are now.

    While a gateway is away the last rates stand with their old instant and so become stale.
    """

    name = "gateway"

    def __init__(
        self,
        client: httpx.AsyncClient,
        targets: Sequence[GatewayTarget],
        services: Callable[[], Sequence[Arriving]],
        window: timedelta = timedelta(seconds=10),
        limits: Limits | None = None,
        *,
        interval_s: Callable[[], int] = lambda: 0,
    ) -> None:
        """Windows are as wide as `window`, and wider where the turns are further apart than that: `interval_s`."""
        self._client = client
        self._services = services
        self._limits = limits or Limits()
        self._interval_s = interval_s
        self._window = self._width = window
        self._windows = {target: CounterWindow[str](window) for target in targets}
        self._last: dict[tuple[str, str], Reading[Rate]] = {}

    async def collect(self, now: datetime) -> Snapshot:
        """What arrived for each service at each of its origins that has a gateway."""
        wide = max(self._window, timedelta(seconds=1.5 * self._interval_s()))
        if wide != self._width:
            self._width = wide
            self._windows = {target: CounterWindow[str](wide) for target in self._windows}
        return merge(now, await asyncio.gather(*(self._read(target, now) for target in self._windows)))

    async def _read(self, target: GatewayTarget, now: datetime) -> Snapshot:
        findings: list[Finding] = []
        totals: Mapping[str, int] | None = None
        try:
            url = f"{target.admin}/stats/prometheus?filter={quote(FILTER)}"
            totals = parse(await fetch(self._client, "GET", url, self._limits), target.admin)
            self._windows[target].add(now, totals)
        except SourceError as error:
            findings.append(source_trouble(error, self.name, f"origins {', '.join(target.origins)}"))
        offered = []
        for origin in target.origins:
            services = [item for item in self._services() if origin in item.origins]
            offered += [self._offered(target, service, origin, totals, now) for service in services]
            uncounted = [item.name for item in services if totals is not None and item.stat(origin) not in totals]
            findings += [uncounted_arrivals(uncounted, origin)] if uncounted else []
        return Snapshot(now, offered=tuple(offered), findings=tuple(findings))

    def _offered(
        self, target: GatewayTarget, service: Arriving, origin: str, totals: Mapping[str, int] | None, now: datetime
    ) -> Offered:
        increase = self._windows[target].increase()
        stat = service.stat(origin)
        reading = self._last.get((service.name, origin), Reading(None, None, target.admin))
        if totals is not None and increase is not None and stat in increase.gained:
            reading = Reading(rate(increase, stat, service.calls), now, target.admin)
            self._last[service.name, origin] = reading
        return Offered(service.name, origin, reading)


def parse(body: bytes, source: str) -> dict[str, int]:
    """Arrivals since the gateway's start by `arrivals_stat`; what is not a count is left out.

    Raises:
        SourceError: GARBLED or LARGE.
    """
    found = {}
    for sample in samples(body, source, FAMILY, SIGN):
        stat = sample.labels.get(LABEL)
        if stat and math.isfinite(sample.value) and sample.value >= 0:
            found[stat] = int(sample.value)
    return found
