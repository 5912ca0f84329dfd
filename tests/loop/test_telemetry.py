"""What the controller tells of itself: metrics and spans."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from collectors.snapshot import Offered, Reading, StageWork, Work
from controller.actions import GIVEN_UP, Outcome, SetLoad, Unload
from controller.decision import PredictionError, State
from controller.fleet import Load
from controller.loop.policies import InForce
from controller.loop.status import Status, ages
from controller.telemetry.metrics import TurnMetrics
from controller.telemetry.present import Present
from controller.telemetry.tracing import RecentSpans, tracer_provider
from policy.findings import Finding, Level
from policy.resolved import ScaleToZero
from policy.source import load
from tests.loop.building import DETECT, NOW, OLD_DETECT, PLACE, keep, move, policy, snapshot


def status() -> Status:
    error = PredictionError("receipt-ocr", "edge-paris", 200_000, 150_000, 20)
    return Status(
        turns=1,
        interval_s=5,
        ended=NOW,
        in_force=InForce(policy("abc")),
        snapshot=snapshot(),
        decision=replace(move(State()), errors=(error,)),
        outcomes=(
            Outcome("d1", "grow", SetLoad(Load(DETECT, 2, 4, 0)), NOW, NOW),
            Outcome("d1", "shrink", Unload(OLD_DETECT), NOW, NOW, "refused"),
            Outcome("d1", "shrink", Unload(OLD_DETECT), NOW, NOW, GIVEN_UP),
        ),
        findings=(Finding("GW3004", Level.ERROR, "refused", "look"),),
        phases=(("decide", 0.2),),
    )


@pytest.fixture
def value() -> Callable[[str], float | None]:
    registry = CollectorRegistry()
    registry.register(
        Present(status, lambda: NOW + timedelta(seconds=3), lambda: 7, asked=lambda: {("WATCH", 200): 3, ("GET", 0): 1})
    )
    turns = TurnMetrics(registry)
    turns.observe(status())
    turns.observe(replace(status(), phases=(("decide", 0.1),), findings=()))
    text = generate_latest(registry).decode()
    samples = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))

    def read(name: str) -> float | None:
        return float(samples[name]) if name in samples else None

    return read


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("gridwright_ready", 1),
        ("gridwright_journal_writable", 1),
        ('gridwright_findings{id="GW3004",level="error"}', 1),
        ('gridwright_policy_info{commit="",revision="abc"}', 1),
        ("gridwright_policy_refused", 0),
        ('gridwright_reading_age_seconds{kind="server",subject="edge-paris-cpu"}', 3),
        ('gridwright_readings_missing{kind="offered"}', 0),
        ("gridwright_plan_cost_dollars_per_hour", 0.4),
        ('gridwright_plan_instances{model="ppocr-det",pool="edge-paris-cpu",variant="fp32"}', 2),
        ('gridwright_plan_served_ratio{origin="edge-paris",service="receipt-ocr"}', 1),
        ('gridwright_predicted_p99_seconds{origin="edge-paris",service="receipt-ocr"}', 0.2),
        ('gridwright_observed_p99_seconds{origin="edge-paris",service="receipt-ocr"}', 0.15),
        ('gridwright_prediction_error_ratio{origin="edge-paris",service="receipt-ocr"}', -0.25),
        ("gridwright_telemetry_refused_total", 7),
        ('gridwright_cluster_calls_total{status="200",verb="watch"}', 3),
        ('gridwright_cluster_calls_total{status="none",verb="get"}', 1),
        ('gridwright_turns_total{result="changed"}', 2),
        ('gridwright_phase_seconds_sum{phase="decide"}', pytest.approx(0.3)),
        ('gridwright_actions_total{action="SetLoad",result="done"}', 1),
        ('gridwright_actions_total{action="Unload",result="failed"}', 1),
        ('gridwright_actions_total{action="Unload",result="given_up"}', 1),
    ],
)
def test_a_metric_says_what_the_turns_did(value: Callable[[str], float | None], name: str, expected: float) -> None:
    assert value(name) == expected


def test_a_missing_reading_is_counted_and_has_no_age() -> None:
    gone = replace(snapshot(), offered=(Offered("receipt-ocr", "edge-paris", Reading(None, None, "envoy")),))
    registry = CollectorRegistry()
    registry.register(Present(lambda: replace(status(), snapshot=gone), lambda: NOW))
    text = generate_latest(registry).decode()
    assert 'gridwright_readings_missing{kind="offered"} 1.0' in text
    assert 'gridwright_reading_age_seconds{kind="offered"' not in text


def test_readings_are_told_by_node_where_servers_are() -> None:
    seen, missing = snapshot(), Reading(None, None, "none")
    servers = tuple(replace(seen.servers[0], node=node) for node in ("n0", "n1"))
    counted = tuple(
        Work("edge-paris-cpu", "det", "fp32", Reading(StageWork(5.0, 1, 0, 1, 0, 1, 0), NOW, "t"), missing, node)
        for node in ("n0", "n1")
    )
    traced = Work("edge-paris-cpu", "det", "fp32", missing, missing)
    told = ages(replace(seen, servers=servers, work=(*counted, traced)), NOW)
    assert [(item.kind, item.subject) for item in told if item.kind in {"server", "work"}] == [
        *(("server", f"edge-paris-cpu/{node}") for node in ("n0", "n1")),
        *(("work", f"det/fp32@edge-paris-cpu/{node}") for node in ("n0", "n1")),
    ]


def test_who_may_scale_to_zero_is_told_to_sleep_or_not() -> None:
    loaded = load(Path(__file__).parents[2] / "examples" / "embedded").policy
    assert loaded is not None
    first, *others = loaded.services
    sleepy = replace(first, scale_to_zero=ScaleToZero(900, 30_000_000, PLACE))
    turn = replace(status(), in_force=InForce(replace(loaded, services=(sleepy, *others))))
    for state, told in ((State(asleep=(first.name,)), 1.0), (State(), 0.0)):
        registry = CollectorRegistry()
        registry.register(Present(lambda state=state: replace(turn, decision=keep(state)), lambda: NOW))
        found = [line for line in generate_latest(registry).decode().splitlines() if "service_asleep{" in line]
        assert found == [f'gridwright_service_asleep{{service="{first.name}"}} {told}']


@pytest.mark.parametrize(
    ("changed", "result"),
    [
        (replace(status(), failed=True), "failed"),
        (replace(status(), noted=False), "unnoted"),
        (replace(status(), in_force=InForce(), decision=None), "idle"),
        (replace(status(), decision=keep(State())), "kept"),
    ],
    ids=["failed", "unnoted", "idle", "kept"],
)
def test_each_turn_is_counted_by_what_came_of_it(changed: Status, result: str) -> None:
    registry = CollectorRegistry()
    TurnMetrics(registry).observe(changed)
    assert f'gridwright_turns_total{{result="{result}"}} 1.0' in generate_latest(registry).decode()


def test_only_the_last_spans_are_kept() -> None:
    recent = RecentSpans(kept=2)
    tracer = tracer_provider(recent).get_tracer("test")
    for name in ("one", "two", "three"):
        with tracer.start_as_current_span(name):
            pass
    assert [span.name for span in recent.spans()] == ["two", "three"]


def test_an_endpoint_without_its_exporter_says_what_to_install() -> None:
    with pytest.raises(ModuleNotFoundError, match="install opentelemetry-exporter-otlp-proto-http"):
        tracer_provider(RecentSpans(), "http://127.0.0.1:4318")
