"""Objectives of the first response: what is predicted of paths and plans, and what is kept from serving by it."""

from dataclasses import replace

from controller.decision import Decision, State
from controller.diagnosis import FIRST_RESPONSE, Case, diagnose
from controller.planning.build import build
from controller.planning.decide import decide
from policy.resolved import LatencyObjective, Policy
from rules.kernel.problem import Path
from tests.planning.world import OCR, POLICY, VAD, World, finding_ids, line

PART = 4
"""First responses leave after a quarter of the service time of `vad`, and of `rec`."""


def policy(*objectives: LatencyObjective, model: str = "vad") -> Policy:
    """The policy with these objectives of the first response, and profiles that tell of it."""
    devices = tuple(
        replace(
            device,
            variants=tuple(
                replace(each, first_us=tuple((batch, us // PART) for batch, us in each.service_us))
                if each.model == model
                else each
                for each in device.variants
            ),
        )
        for device in POLICY.devices
    )
    services = tuple(
        replace(each, latency=(*each.latency, *objectives)) if any(s.model == model for s in each.stages) else each
        for each in POLICY.services
    )
    return replace(POLICY, devices=devices, services=services)


def first(below_us: int, stage: str = "", percentile_bp: int = 9900) -> LatencyObjective:
    return LatencyObjective(percentile_bp, below_us, 300, line(90), "", stage, of_first=True)


def paths(asked: Policy, service: str) -> tuple[Path, ...]:
    world = World(policy=asked)
    built = build(world.policy, world.snapshot(), State(), world.now)
    return tuple(path for path in built.whole.paths if path.demand.startswith(service))


def decided(asked: Policy) -> Decision:
    world = World(policy=asked)
    return decide(world.policy, world.snapshot(), world.state, world.now)


def test_a_single_request_has_its_first_response_sooner_by_what_comes_after_it() -> None:
    for path in paths(policy(first(10**9), first(10**9, "listen")), VAD):
        whole_us, (of_path, of_stage) = dict(path.latency_us), path.first_us
        assert (of_path, of_stage) == (("", of_path[1]), ("listen", of_path[1]))
        if " b1 " in path.options[0]:
            after_us = {whole_us[basis] - us for basis, us in of_path[1]}
            assert max(after_us) - min(after_us) <= 1, "one execution of a request takes the same each time"
        assert all(us < whole_us[basis] for basis, us in of_path[1])


def test_of_a_pipeline_only_the_last_stage_is_awaited_to_its_first_response() -> None:
    by_whole = {path.options: path for path in paths(policy(first(10**9), model="rec"), OCR)}
    early = {path.options: path for path in paths(policy(first(10**9), model="det"), OCR)}
    for options, path in by_whole.items():
        ((_, begun),) = path.first_us
        assert all(us < dict(path.latency_us)[basis] for basis, us in begun)
        assert dict(early[options].first_us)[""] == path.latency_us


def test_nothing_is_predicted_of_first_responses_that_nobody_asks_for() -> None:
    assert all(path.first_us == () for path in paths(policy(), VAD))
    assert all(each.first_p99_us == 0 for each in decided(policy()).forecasts)


def test_where_the_latency_goes_has_the_first_response_where_an_objective_speaks_of_it() -> None:
    world = World(policy=policy(first(100_000)))
    snapshot = world.snapshot()
    decision = decide(world.policy, snapshot, world.state, world.now)
    case = Case(build(world.policy, snapshot, decision.state, world.now).whole, decision, snapshot)
    (forecast, *_) = [each for each in decision.forecasts if each.service == VAD]
    (found, *_) = diagnose(case, VAD)
    whole, begins = found.parts[:2]
    assert (begins.what, begins.seen_us) == (FIRST_RESPONSE, None)
    assert begins.predicted_us[1] == forecast.first_p99_us
    assert begins.predicted_us[0] < whole.predicted_us[0]
    assert found.cause is None
    assert all(part.what != FIRST_RESPONSE for each in diagnose(case, OCR) for part in each.parts)


def test_a_plan_tells_when_the_first_response_is_expected() -> None:
    found = {each.service: each for each in decided(policy(first(100_000))).forecasts}
    assert 0 < found[VAD].first_p99_us < found[VAD].p99_us
    assert found[OCR].first_p99_us == 0


def test_an_objective_that_only_first_responses_meet_is_met_and_a_lower_one_is_not() -> None:
    begun_us: dict[str, int] = {}
    ended_us: dict[str, int] = {}
    accurate = (path for path in paths(policy(first(10**9)), VAD) if "/fp32@" in path.options[0])
    for path in accurate:
        begun, ended = dict(dict(path.first_us)[""])[9900], dict(path.latency_us)[9900]
        begun_us[path.demand] = min(begun_us.get(path.demand, begun), begun)
        ended_us[path.demand] = min(ended_us.get(path.demand, ended), ended)
    below_us = max(begun_us.values())
    assert below_us < min(ended_us.values())
    assert "GW2010" not in finding_ids(decided(policy(first(below_us))))
    assert "GW2010" in finding_ids(decided(policy(first(min(begun_us.values()) - 1))))
