from dataclasses import replace
from pathlib import Path

import pytest

from collectors.snapshot import Latency, Quantiles, Reading, Snapshot, StageTimes, Work
from controller.decision import State
from controller.diagnosis import COMPUTING, ENCODING, END_TO_END, THE_WAY, WAITING, Case, Diagnosis, Part, diagnose
from controller.documents import observe
from controller.planning.build import build
from controller.planning.decide import decide
from policy.source import load
from tests.planning.world import FRANKFURT, OCR, PARIS, POLICY, START, VAD, pci

EVIDENCE = tuple(pci(site, START.replace(year=2030)) for site in (PARIS, FRANKFURT))


def reading(p50_us: int, p99_us: int) -> Quantiles:
    return Quantiles(200, p50_us, p99_us, p99_us)


@pytest.fixture(scope="module")
def case() -> Case:
    snapshot = observe(POLICY, EVIDENCE, START)
    problem = build(POLICY, snapshot, State(), START).whole
    return Case(problem, decide(POLICY, snapshot, State(), START), snapshot)


def seen(case: Case, waiting_us: int, computing_us: int, way_us: int) -> Snapshot:
    """Callers of the voice service from Paris, and every server, saw these times, at the median and in the tail."""
    times = StageTimes(reading(waiting_us, waiting_us), reading(computing_us, computing_us))
    pools = [pool.name for pool in POLICY.pools]
    missing: Reading[object] = Reading(None, None, "none")
    whole_us = waiting_us + computing_us + way_us
    return replace(
        case.snapshot,
        latency=(Latency(VAD, PARIS, Reading(reading(whole_us, whole_us), START, "spans")),),
        work=tuple(Work(pool, "vad", "fp32", missing, Reading(times, START, "spans")) for pool in pools),
    )


def parts(found: tuple[Diagnosis, ...], origin: str) -> tuple[dict[str, Part], str | None]:
    (item,) = (each for each in found if each.origin == origin)
    return {part.what: part for part in item.parts}, None if item.cause is None else item.parts[item.cause].what


def test_without_observations_there_are_predictions_and_no_cause(case: Case) -> None:
    found, cause = parts(diagnose(case, OCR), PARIS)
    assert cause is None
    assert found[END_TO_END].predicted_us[1] > found[END_TO_END].predicted_us[0] > 0
    assert all(part.seen_us is None for part in found.values())


def test_every_stage_has_its_two_parts(case: Case) -> None:
    (paris, _) = diagnose(case, OCR)
    assert [part.stage for part in paris.parts if part.what == WAITING] == ["detect", "orient", "read"]
    assert [part.stage for part in paris.parts if part.what == COMPUTING] == ["detect", "orient", "read"]


@pytest.mark.parametrize(
    ("times", "what"),
    [
        ((900_000, 6_000, 4_000), WAITING),
        ((1_000, 700_000, 4_000), COMPUTING),
        ((1_000, 6_000, 800_000), THE_WAY),
    ],
)
def test_the_part_that_differs_most_is_the_cause(case: Case, times: tuple[int, int, int], what: str) -> None:
    found, cause = parts(diagnose(replace(case, snapshot=seen(case, *times)), VAD), PARIS)
    assert cause == what
    assert found[THE_WAY].seen_us == (times[2], times[2])


def test_what_encoding_is_declared_to_take_is_taken_off_what_is_left_for_the_way() -> None:
    policy = load(Path(__file__).parents[2] / "examples" / "uplink").policy
    assert policy is not None
    snapshot = observe(policy, (), START)
    times = StageTimes(reading(1_000, 1_000), reading(6_000, 6_000))
    missing: Reading[object] = Reading(None, None, "none")
    (service, *_) = policy.services
    snapshot = replace(
        snapshot,
        latency=(Latency(service.name, service.origins[0].site, Reading(reading(400_000, 400_000), START, "spans")),),
        work=tuple(
            Work(pool.name, model.name, variant.name, missing, Reading(times, START, "spans"))
            for pool in policy.pools
            for model in policy.models
            for variant in model.variants
        ),
    )
    problem = build(policy, snapshot, State(), START).whole
    found = diagnose(Case(problem, decide(policy, snapshot, State(), START), snapshot), service.name)
    told, _ = parts(found, service.origins[0].site)
    left_us = 400_000 - 7_000 - told[ENCODING].predicted_us[0]
    assert told[THE_WAY].seen_us == (left_us, left_us)


def test_calls_of_a_fanned_out_stage_may_wait_less_than_their_slowest(case: Case) -> None:
    waiting = [part for part in diagnose(case, OCR)[0].parts if part.what == WAITING]
    assert [part.calls for part in waiting] == [1, 2, 2]


def test_another_service_is_not_looked_at(case: Case) -> None:
    assert {item.service for item in diagnose(case, VAD)} == {VAD}
