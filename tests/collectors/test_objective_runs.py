"""Runs counted by objective, as error budgets need them."""

from dataclasses import replace
from datetime import UTC, datetime

from posts import NS, run_span

from collectors.objective_runs import ObjectiveRuns, RunCounts
from collectors.otlp.client_spans import ClientSpans
from collectors.otlp.inbox import Batch, Inbox
from policy.findings import Place
from policy.resolved import LatencyObjective, Service
from policy.source import load
from tests.loop.real import EXAMPLE

START = datetime(2030, 1, 1, tzinfo=UTC)
MS = 1_000_000


def service(*limits: tuple[int, str]) -> Service:
    policy = load(EXAMPLE).policy
    assert policy is not None
    latency = tuple(LatencyObjective(9_900, below_us, 300, Place("", 1, 1), origin) for below_us, origin in limits)
    return replace(policy.service("receipt-ocr"), latency=latency)


def test_every_objective_begins_at_zero() -> None:
    services = (service((400_000, ""), (300_000, "edge-lyon")),)
    assert RunCounts(lambda: services).totals() == (
        ObjectiveRuns("receipt-ocr", "edge-lyon", 300_000, 0, 0),
        ObjectiveRuns("receipt-ocr", "edge-lyon", 400_000, 0, 0),
        ObjectiveRuns("receipt-ocr", "edge-paris", 400_000, 0, 0),
    )


def test_a_run_on_the_limit_is_not_slow_and_one_beyond_is() -> None:
    services = (service((400_000, "edge-paris")),)
    counts = RunCounts(lambda: services)
    for duration_us in (399_999, 400_000, 400_001):
        counts.add("receipt-ocr", "edge-paris", duration_us, 1.0)
    counts.add("receipt-ocr", "edge-lyon", 1, 1.0)
    counts.add("another", "edge-paris", 1, 1.0)
    assert counts.totals() == (ObjectiveRuns("receipt-ocr", "edge-paris", 400_000, 3, 1),)


def test_counts_stay_while_the_objective_does() -> None:
    now = [(service((400_000, "edge-paris")),)]
    counts = RunCounts(lambda: now[0])
    counts.add("receipt-ocr", "edge-paris", 500_000, 4.0)
    now[0] = (service((400_000, "edge-paris"), (300_000, "edge-paris")),)
    assert [(each.below_us, each.runs, each.slow) for each in counts.totals()] == [(300_000, 0, 0), (400_000, 4, 4)]
    now[0] = (service((300_000, "edge-paris")),)
    counts.totals()
    now[0] = (service((400_000, "edge-paris")),)
    assert [(each.below_us, each.runs) for each in counts.totals()] == [(400_000, 0)]


def test_spans_of_applications_are_counted_once_and_failures_are_not() -> None:
    services = (service((400_000, "edge-paris")),)
    counts, inbox = RunCounts(lambda: services), Inbox()
    spans = ClientSpans(inbox, counts=counts)
    at_ns = int(START.timestamp()) * NS
    fast, slow, failed = (
        run_span(number, "receipt-ocr", "edge-paris", at_ns, at_ns + took_ms * MS, failed=number == 3)
        for number, took_ms in ((1, 100), (2, 900), (3, 900))
    )
    inbox.offer(Batch("", (fast, slow, failed, slow)))
    spans.read(START)
    assert counts.totals() == (ObjectiveRuns("receipt-ocr", "edge-paris", 400_000, 2, 1),)
