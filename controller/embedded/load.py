"""An open-loop load generator in a process of its own: `python -m controller.embedded.load CONFIG.json`.

Requests are sent when the trace says so, whether or not earlier ones were answered, and their latency counts from that
intended moment. It stops by itself: after its duration, or on SIGTERM. Rates change while it runs, by a control file
that is read again when it changes. Results are one JSON object a line, and a last one with the generator's own account.
"""

import asyncio
import json
import random
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from typing import IO, Annotated, Literal

import aiohttp
import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from controller.embedded.arrivals import arrivals, rate_rps, trace_shape
from controller.embedded.envoy_routes import REQUEST_TIMEOUT_S
from controller.embedded.media import pictures, speech
from controller.embedded.pipelines import Outcome, Run
from controller.embedded.spans import RunSpan, SpanExport

TICK_S = 0.1
POST_TICKS = 10
DRAIN_S = REQUEST_TIMEOUT_S + 2.0
REFUSED = 429
Positive = Annotated[int, Field(gt=0)]


class Strict(BaseModel):
    """Refuses keys that it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Demand(Strict):
    """Requests of one service from one origin. `stages` are (name, model): three for `ocr`, one for `speech`."""

    origin: str
    service: str
    url: str
    kind: Literal["ocr", "speech"]
    stages: tuple[tuple[str, str], ...]
    mean_milli_rps: Positive
    fanout: Annotated[int, Field(ge=1, le=16)] = 2


class LoadConfig(Strict):
    """What to send, for how long, where results go. `depth_permille` scales the trace's swings: 0 is a steady mean."""

    demands: tuple[Demand, ...]
    duration_s: Annotated[float, Field(gt=0, le=86400)]
    results: Path
    control: Path
    seed: int = 1
    depth_permille: Annotated[int, Field(ge=0, le=1000)] = 1000
    max_in_flight: Annotated[int, Field(gt=0, le=2000)] = 400
    otlp_url: str = ""


class Factor(Strict):
    """Multiplies the rate of one service from one origin, `*` for all; later ones win."""

    service: str = "*"
    origin: str = "*"
    permille: Annotated[int, Field(ge=0, le=100_000)]


class Control(Strict):
    """What the control file says."""

    factors: tuple[Factor, ...] = ()


def set_factors(control: Path, factors: tuple[Factor, ...]) -> None:
    """Change the rates of a running generator."""
    partial = control.with_suffix(".partial")
    partial.write_text(Control(factors=factors).model_dump_json())
    partial.rename(control)


def factor_of(control: Control, demand: Demand) -> float:
    """The factor of a demand."""
    factor = 1.0
    for item in control.factors:
        if item.service in ("*", demand.service) and item.origin in ("*", demand.origin):
            factor = item.permille / 1000
    return factor


class Generator:
    """Draws arrivals tick by tick and runs a pipeline for each."""

    def __init__(self, config: LoadConfig, session: aiohttp.ClientSession, output: IO[str]) -> None:
        """Everything is seeded: the same config sends the same requests at the same offsets."""
        self._config = config
        self._session = session
        self._output = output
        self._numbers = random.Random(config.seed)  # noqa: S311 -- load, not secrets
        self._arrivals = [np.random.default_rng([config.seed, index]) for index in range(len(config.demands))]
        self._shape = trace_shape()
        self._pictures = pictures(config.seed)
        self._chunks = speech()
        self._control = Control()
        self._control_changed_ns = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._spans = SpanExport(session, config.otlp_url)
        self._posting: asyncio.Task[None] | None = None
        self._lags_us: list[int] = []
        self._statuses: Counter[str] = Counter()
        self.stopping = asyncio.Event()

    async def run(self) -> None:
        """Send for the configured duration, wait for what is under way, and write the account."""
        loop = asyncio.get_running_loop()
        start, epoch = loop.time(), time.time()
        tick = 0
        while tick * TICK_S < self._config.duration_s and not self.stopping.is_set():
            self._read_control()
            for at_s, demand in self._tick(tick * TICK_S):
                loop.call_at(start + at_s, self._send, demand, epoch + at_s)
            tick += 1
            self._output.flush()
            if tick % POST_TICKS == 0 and (self._posting is None or self._posting.done()):
                self._posting = loop.create_task(self._spans.post())
            await asyncio.sleep(max(0.0, start + (tick - 0.5) * TICK_S - loop.time()))
        await asyncio.sleep(TICK_S)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=DRAIN_S)
        await self._spans.post()
        self._write(self._account())

    def _tick(self, start_s: float) -> list[tuple[float, Demand]]:
        due = []
        for demand, numbers in zip(self._config.demands, self._arrivals, strict=True):
            mean = demand.mean_milli_rps / 1000 * factor_of(self._control, demand)
            rate = rate_rps(self._shape, start_s, mean, self._config.depth_permille / 1000)
            due += [(float(at_s), demand) for at_s in arrivals(numbers, start_s, TICK_S, rate)]
        return due

    def _read_control(self) -> None:
        """Take over a changed control file; one that cannot be read is reported and changes nothing."""
        path = self._config.control
        try:
            changed_ns = path.stat().st_mtime_ns
            if changed_ns != self._control_changed_ns:
                self._control_changed_ns = changed_ns
                self._control = Control.model_validate_json(path.read_text())
        except FileNotFoundError:
            return
        except (OSError, ValidationError) as error:
            sys.stderr.write(f"{path}: rates stay as they are: {error}\n")

    def _send(self, demand: Demand, intended_s: float) -> None:
        if len(self._tasks) >= self._config.max_in_flight:
            self._finish(demand, intended_s, None, "")
            return
        task = asyncio.get_running_loop().create_task(self._serve(demand, intended_s))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, demand: Demand, intended_s: float) -> None:
        self._lags_us.append(round((time.time() - intended_s) * 1e6))
        run = Run(self._session, f"{demand.url}/{demand.service}", self._numbers)
        if demand.kind == "ocr":
            outcome = await run.ocr(self._numbers.choice(self._pictures), demand.stages, demand.fanout)
        else:
            outcome = await run.speech(self._numbers.choice(self._chunks), demand.stages)
        self._finish(demand, intended_s, outcome, run.trace_id)

    def _finish(self, demand: Demand, intended_s: float, outcome: Outcome | None, trace_id: str) -> None:
        status = status_of(outcome)
        self._statuses[status] += 1
        calls = outcome.calls if outcome else ()
        line = {
            "intended_s": round(intended_s, 6),
            "origin": demand.origin,
            "service": demand.service,
            "status": status,
            "latency_us": round((time.time() - intended_s) * 1e6),
            "trace_id": trace_id,
            "calls": [
                {"stage": item.stage, "at_s": round(item.started_s, 6), "latency_us": item.latency_us}
                | {"http": item.http, "served_by": item.served_by, "fault": item.fault}
                for item in calls
            ],
            "answer": list(outcome.answer) if outcome else [],
        }
        self._write(line)
        if outcome is not None:
            self._spans.add(RunSpan(demand.service, demand.origin, trace_id, intended_s, time.time(), outcome.complete))

    def _account(self) -> dict[str, object]:
        lags = np.array(self._lags_us or [0])
        return {
            "account": dict(self._statuses),
            "send_lag_p50_us": int(np.percentile(lags, 50)),
            "send_lag_p99_us": int(np.percentile(lags, 99)),
            "unfinished": len(self._tasks),
            "cpu_s": round(time.process_time(), 2),
        }

    def _write(self, line: dict[str, object]) -> None:
        self._output.write(json.dumps(line) + "\n")


def status_of(outcome: Outcome | None) -> str:
    """`ok`; `refused` when the gateway shed it; `failed`; `dropped` when too many were under way to send it."""
    if outcome is None:
        return "dropped"
    if outcome.complete:
        return "ok"
    return "refused" if any(item.http == REFUSED for item in outcome.calls) else "failed"


async def generate(config: LoadConfig) -> None:
    """Run a whole load."""
    timeout = aiohttp.ClientTimeout(total=REQUEST_TIMEOUT_S + 1)
    connector = aiohttp.TCPConnector(limit=config.max_in_flight * 4)
    async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session:
        with config.results.open("w") as output:
            generator = Generator(config, session, output)
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, generator.stopping.set)
            await generator.run()


if __name__ == "__main__":
    asyncio.run(generate(LoadConfig.model_validate_json(Path(sys.argv[1]).read_text())))
