"""What taking in telemetry costs: spans and metric samples a second on one core, and what overload does to memory.

The spans are those of a real Triton (`tests/cases/otlp`), each post with fresh ids. A post goes the whole way that the
controller's does, from the body's bytes through the endpoint, the decoder and the join into the windows; the socket and
its HTTP parser are left out here. They are in the overload, where senders post to a receiver in a process of its own,
at four times the rate found before as far as the senders can, who have the same cores. The metrics are parsed by
Gridwright and, in the same run, by prometheus_client alone. Prints a table and, as its last line, a JSON object.
"""

import argparse
import asyncio
import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from overload import Sent, Taken, overload
from prometheus_client.parser import text_string_to_metric_families
from triton_posts import Capture, captures, together

from collectors.otlp.inbox import Inbox
from collectors.otlp.over_http import otlp_router
from collectors.otlp.receiver import TraceReceiver
from collectors.otlp.triton_spans import TritonSpans
from collectors.triton_metrics import parse

TESTS = Path(__file__).parents[1] / "tests"
CASES = TESTS / "cases" / "otlp"
METRICS = TESTS / "collectors" / "data" / "triton_metrics.txt"
TYPES = {"json": "application/json", "protobuf": "application/x-protobuf"}
TARGETS = {"json": 30_000, "protobuf": 60_000}
SPANS = 60_000
ROUNDS = 3
POSTS_BETWEEN_READS = 20
MODELS = 100
OVERLOAD = 4
LONGEST_S = 15.0


@dataclass(frozen=True, slots=True)
class Rate:
    """Spans or samples, and the processor time that they took."""

    items: int
    cpu_s: float

    @property
    def per_second(self) -> int:
        """On one core that does nothing else."""
        return round(self.items / self.cpu_s)


async def ingested(encoding: str, spans: int) -> Rate:
    """Post fresh captures until `spans` were taken, and check that every request was timed once."""
    servers = Inbox()
    receiver, collector = TraceReceiver(["edge"], servers, Inbox()), TritonSpans(servers)
    app = FastAPI()
    app.include_router(otlp_router(receiver))
    sources = captures(CASES, time.time_ns(), encoding)
    posts = [sources[number % len(sources)] for number in range(len(sources) * spans // _spans(sources))]
    bodies = [capture.fresh() for capture in posts]
    answers = []
    start_s = time.process_time()
    for number, body in enumerate(bodies):
        answers.append(await _post(app, body, TYPES[encoding]))
        if number % POSTS_BETWEEN_READS == 0:
            collector.read(datetime.now(UTC))
    (work,) = (await collector.collect(datetime.now(UTC))).work
    cpu_s = time.process_time() - start_s
    assert set(answers) == {200}
    assert work.times.value is not None
    assert work.times.value.compute.count == _requests(posts)
    return Rate(_spans(posts), cpu_s)


async def _post(app: FastAPI, body: bytes, content_type: str) -> int:
    """The status of the answer, through ASGI alone."""
    statuses: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        statuses.append(message.get("status", 0))

    headers = [(b"content-type", content_type.encode())]
    path = "/otlp/edge/v1/traces"
    scope = {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": headers}
    await app(scope, receive, send)
    return statuses[0]


def _spans(posts: list[Capture]) -> int:
    return sum(capture.spans for capture in posts)


def _requests(posts: list[Capture]) -> int:
    return sum(capture.requests for capture in posts)


def parsed() -> tuple[Rate, Rate]:
    """Gridwright's reading of an exposition, and prometheus_client's alone: the best of some rounds of each."""
    lines = [line for line in METRICS.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    models = [line.replace("toy--", f"m{number}--") for number in range(MODELS) for line in lines if "toy--" in line]
    text = "\n".join(models) + "\n"
    ours, peers = [], []
    for _ in range(ROUNDS):
        start_s = time.process_time()
        assert len(parse(text.encode(), "bench").pending) == MODELS
        between_s = time.process_time()
        assert sum(len(family.samples) for family in text_string_to_metric_families(text)) == len(models)
        ours.append(between_s - start_s)
        peers.append(time.process_time() - between_s)
    return Rate(len(models), min(ours)), Rate(len(models), min(peers))


def report(rates: dict[str, int], samples: tuple[Rate, Rate], offered_s: float, sent: Sent, taken: Taken) -> None:
    """The table, and the object in the last line."""
    acknowledged = list(sent.acknowledged.values())
    taken_posts = len(acknowledged) + sent.again
    difference = _requests(acknowledged) - taken.requests
    figures = {
        "spans_per_second": rates,
        "samples_per_second": samples[0].per_second,
        "samples_per_second_peer": samples[1].per_second,
        "offered_spans_per_second": round(sent.spans / offered_s),
        "sendings_over_taken": round((taken_posts + sent.busy) / max(1, taken_posts), 1),
        "taken_spans_per_cpu_second": round(_spans(acknowledged) / taken.cpu_s),
        "acknowledged_posts": len(acknowledged),
        "sent_again": sent.again,
        "busy_answers": sent.busy,
        "given_up_posts": sent.given_up,
        "broken_connections": sent.broken,
        "other_answers": sent.other,
        "idle_mib": round(taken.idle_mib, 1),
        "peak_mib": round(taken.peak_mib, 1),
        "lost": max(difference, 0),
        "double_counted": max(-difference, 0),
    }
    for encoding, rate in rates.items():
        print(f"{f'spans/s on one core, {encoding}':40}{rate:>12,}   (wanted {TARGETS[encoding]:,})")
    for name, value in list(figures.items())[1:]:
        print(f"{name.replace('_', ' '):40}{value:>12,}")
    for finding in taken.findings:
        print(f"told: {finding}")
    print(json.dumps(figures))


def main() -> None:
    """Measure all of it."""
    parser = argparse.ArgumentParser(description="What taking in telemetry costs.")
    parser.add_argument("--seconds", type=float, default=8.0, help=f"of overload, at most {LONGEST_S:g}")
    seconds = min(parser.parse_args().seconds, LONGEST_S)
    rounds = {encoding: [asyncio.run(ingested(encoding, SPANS)) for _ in range(ROUNDS)] for encoding in TYPES}
    rates = {encoding: sorted(rate.per_second for rate in found)[ROUNDS // 2] for encoding, found in rounds.items()}
    samples = parsed()
    source = together(CASES, time.time_ns(), "json")
    sent, taken = asyncio.run(overload([source], TYPES["json"], OVERLOAD * rates["json"], seconds))
    report(rates, samples, seconds, sent, taken)


if __name__ == "__main__":
    main()
