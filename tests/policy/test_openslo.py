"""OpenSLO documents of others beside a policy: the valid ones are taken, the others refused where they are wrong."""

import json
from pathlib import Path

import pytest

from policy.findings import Finding, Level
from policy.resolved import LatencyObjective
from policy.source import Loaded, load_documents

HERE = Path(__file__).parent
CASES = HERE.parent / "cases" / "openslo"
GOOD = ("good.yaml", (HERE / "good.yaml").read_text())
INVALID = json.loads((CASES / "invalid.json").read_text())

SLO = """
apiVersion: openslo/v1
kind: SLO
metadata: {name: ocr-latency}
spec:
  service: call-vad
  indicator:
    metadata: {name: latency}
    spec: {thresholdMetric: {metricSource: {type: Gridwright, spec: {metric: latency, origin: edge-paris}}}}
  timeWindow: [{duration: 4w, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{op: lte, value: 0.45, target: 0.995}]
"""


def beside_good(*texts: str) -> Loaded:
    return load_documents([GOOD, *((f"slo{number}.yaml", text) for number, text in enumerate(texts))])


def told(loaded: Loaded) -> list[str]:
    return [finding.id for finding in loaded.findings]


def added(loaded: Loaded) -> tuple[LatencyObjective, ...]:
    assert loaded.policy is not None, loaded.findings
    (service,) = loaded.policy.services
    return tuple(objective for objective in service.latency if objective.place.file.startswith("slo"))


@pytest.mark.parametrize("file", sorted((CASES / "valid").iterdir()), ids=lambda file: file.name)
def test_valid_documents_of_others_are_taken(file: Path) -> None:
    loaded = load_documents([GOOD, (file.name, file.read_text())])
    assert loaded.policy is not None
    assert {finding.id for finding in loaded.findings} <= {"GW0395"}


@pytest.mark.parametrize("file", sorted((CASES / "invalid").iterdir()), ids=lambda file: file.name)
def test_invalid_documents_of_others_are_refused_where_they_are_wrong(file: Path) -> None:
    loaded = load_documents([GOOD, (file.name, file.read_text())])
    places = {f"{each.place.line}:{each.place.column} {each.id}" for each in loaded.findings if each.place}
    assert loaded.policy is None
    assert set(INVALID[file.name]) == places


def test_every_invalid_case_has_its_verdict() -> None:
    assert {file.name for file in (CASES / "invalid").iterdir()} == set(INVALID)


def test_an_objective_of_our_own_source_is_kept_like_one_of_the_service() -> None:
    (objective,) = added(beside_good(SLO))
    assert (objective.percentile_bp, objective.below_us) == (9950, 450_000)
    assert (objective.window_s, objective.origin) == (28 * 86_400, "edge-paris")
    assert str(objective.place) == "slo0.yaml:12:16"


@pytest.mark.parametrize(
    ("before", "after", "below_us", "percentile_bp"),
    [
        ("op: lte", "op: lt", 449_999, 9950),
        ("target: 0.995", "targetPercent: 99.95", 450_000, 9995),
        ("value: 0.45", "value: 2", 2_000_000, 9950),
        ("value: 0.45", "value: 0.000001", 1, 9950),
    ],
)
def test_thresholds_and_targets_are_exact(before: str, after: str, below_us: int, percentile_bp: int) -> None:
    (objective,) = added(beside_good(SLO.replace(before, after)))
    assert (objective.below_us, objective.percentile_bp) == (below_us, percentile_bp)


def test_indicator_and_source_may_be_documents_of_their_own() -> None:
    sli = """
apiVersion: openslo/v1
kind: SLI
metadata: {name: latency}
spec: {thresholdMetric: {metricSource: {metricSourceRef: own, spec: {metric: latency}}}}
---
apiVersion: openslo/v1
kind: DataSource
metadata: {name: own}
spec: {type: Gridwright, connectionDetails: {url: any}}
"""
    indicator = SLO[SLO.index("  indicator:") : SLO.index("  timeWindow")]
    slo = SLO.replace(indicator, "  indicatorRef: latency\n")
    (objective,) = added(beside_good(slo, sli))
    assert objective.origin == ""
    missing = beside_good(slo)
    assert (told(missing), added(missing)) == (["GW0395"], ())


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ("call-vad", "call-vat", "no Service `call-vat`"),
        ("edge-paris", "edge-pairs", "no origin `edge-pairs`"),
        ("origin: edge-paris", "origin: [edge-paris]", "no origin"),
        ("origin: edge-paris", "origin: null", "no origin"),
        ("metric: latency", "metric: latencey", "asks for what there is not"),
        ("metric: latency", "metric: latency, by: stage", "asks for what there is not"),
        ("op: lte", "op: gte", "promised to stay below"),
        ("op: lte, ", "", "`op` and `value`"),
        ("value: 0.45", "value: 0.0000001", "no such number of seconds"),
        ("value: 0.45", "value: -1", "no such number of seconds"),
        ("target: 0.995", "target: 0.99999", "no percentile"),
        ("target: 0.995", "target: 0", "no percentile"),
        ("budgetingMethod: Occurrences", "budgetingMethod: RatioTimeslices", "`timeSliceWindow`"),
        (
            "duration: 4w, isRolling: true",
            "duration: 4w, calendar: {startTime: 2022-01-01 00:00:00, timeZone: UTC}",
            "cal",
        ),
    ],
)
def test_what_was_meant_for_us_and_cannot_be_kept_is_an_error(before: str, after: str, why: str) -> None:
    loaded = beside_good(SLO.replace(before, after))
    assert loaded.policy is None
    (finding,) = (each for each in loaded.findings if each.level is Level.ERROR)
    assert finding.id in {"GW0396", "GW0204"}
    assert why in finding.message
    assert finding.hint


def test_what_others_measure_is_told_as_not_kept() -> None:
    loaded = beside_good(SLO.replace("type: Gridwright", "type: Prometheus"))
    (finding,) = loaded.findings
    assert (finding.id, finding.level) == ("GW0395", Level.INFO)
    assert "measured by `Prometheus`" in finding.message
    assert added(loaded) == ()


def test_the_same_names_in_both_languages_do_not_clash_and_twice_in_one_does() -> None:
    service = "apiVersion: openslo/v1\nkind: Service\nmetadata: {name: call-vad}\nspec: {description: x}\n"
    assert beside_good(service).findings == ()
    twice: Finding = next(iter(beside_good(SLO, SLO).findings))
    assert (twice.id, str(twice.place)) == ("GW0301", "slo1.yaml:4:18")


def test_a_service_whose_only_objective_is_of_openslo_has_one() -> None:
    bare = GOOD[1].replace("objectives:\n    - latency: {percentile: 99, below: 300ms}\n", "objectives:\n")
    assert bare != GOOD[1]
    assert "GW0307" in told(load_documents([("good.yaml", bare)]))
    assert told(load_documents([("good.yaml", bare), ("slo0.yaml", SLO)])) == []
