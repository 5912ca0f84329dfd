"""Inputs on their way: which encoding a hop gets, what it is worth, and what becomes of it when documents change."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from controller.decision import Decision, State, Verdict
from controller.diagnosis import ENCODING, THE_WAY, Case, Part, diagnose
from controller.documents import observe
from controller.explain import candidates
from controller.fleet import EMPTY, Fleet, Way
from controller.planning.build import Built, build
from controller.planning.decide import decide
from controller.planning.network import network_us, sending_us
from controller.planning.sending import by_options
from controller.planning.stages import HOP_US
from controller.planning.verify import verify
from policy.clauses import PayloadClause, Scope
from policy.data_flow import data
from policy.resolved import AccuracyObjective, Encoding, Fidelity, Link, Policy, Removal, Service
from policy.source import load

POLICY = load(Path(__file__).parents[2] / "examples" / "uplink").policy
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
LEAF, SEED = "leaf-scan@field-lleida", "seed-grading@field-lleida"


def uplink() -> Policy:
    assert POLICY is not None
    return POLICY


def edited(
    link: Callable[[Link], Link] = lambda each: each, service: Callable[[Service], Service] = lambda each: each
) -> Policy:
    """The example with its link, and its services, as they are made."""
    policy = uplink()
    links, services = tuple(map(link, policy.links)), tuple(map(service, policy.services))
    return replace(policy, links=links, services=services, revision="edited")


def built(policy: Policy) -> Built:
    return build(policy, observe(policy, (), NOW), State(), NOW)


def sent(policy: Policy) -> dict[str, set[tuple[str, ...]]]:
    """By demand, the encodings of the paths that may be taken."""
    problem = built(policy).problem
    return {
        demand.id: {path.encodings for path in problem.paths if path.demand == demand.id} for demand in problem.demands
    }


def decided(policy: Policy, standing: Fleet = EMPTY, state: State | None = None) -> Decision:
    return decide(policy, observe(policy, (), NOW, standing=standing), state or State(), NOW)


def ways(decision: Decision) -> dict[str, tuple[Way, ...]]:
    return {f"{routes.service}@{routes.origin}": routes.ways for routes in decision.fleet.routes}


def test_a_hop_takes_the_time_to_send_what_is_left_and_to_encode_and_decode_each_call() -> None:
    (link,), stage = uplink().links, uplink().services[0].stages[0]
    assert sending_us(link, stage, "") == 491_520
    assert sending_us(link, stage, "gzip") == 344_064 + 9_000
    assert sending_us(link, replace(stage, fanout=2), "fp16") == 491_520 + 4_000


def test_the_quickest_that_floor_and_profile_let_is_taken() -> None:
    assert sent(uplink()) == {LEAF: {("fp16",)}, SEED: {("gzip",)}}
    strict = edited(service=lambda each: replace(each, accuracy=AccuracyObjective(957_000, each.place)))
    assert sent(strict) == {LEAF: set(), SEED: {("gzip",)}}  # gzip is too slow for 400 ms
    slower = edited(service=lambda each: replace(each, latency=(), accuracy=AccuracyObjective(957_000, each.place)))
    assert sent(slower) == {LEAF: {("gzip",)}, SEED: {("gzip",)}}


def test_where_latency_goes_encoding_is_told_apart_from_the_way() -> None:
    policy = uplink()
    snapshot = observe(policy, (), NOW)
    case = Case(built(policy).whole, decided(policy), snapshot)
    (found,) = diagnose(case, "leaf-scan")
    told = {part.what: part for part in found.parts}
    (link,), stage = policy.links, policy.services[0].stages[0]
    packed = stage.encoding("fp16")
    assert packed is not None
    assert told[ENCODING] == Part(stage.name, ENCODING, (packed.time_us, packed.time_us), None)
    way_us = link.rtt_us + HOP_US + sending_us(link, stage, "fp16") - packed.time_us
    assert told[THE_WAY].predicted_us[0] == pytest.approx(way_us, rel=0.01)


def test_what_a_link_does_not_admit_is_not_sent() -> None:
    bare = edited(
        link=lambda each: replace(each, compressions=(), precisions=()), service=lambda each: replace(each, latency=())
    )
    assert sent(bare) == {LEAF: {()}, SEED: {()}}


def test_over_a_wide_link_nothing_is_packed_and_of_two_that_take_as_long_the_truer_is_taken() -> None:
    wide = edited(
        link=lambda each: replace(each, bandwidth_kbps=10_000_000), service=lambda each: replace(each, latency=())
    )
    assert sent(wide) == {LEAF: {()}, SEED: {("gzip",)}}  # which is slower, and costs less to send

    def alike(service: Service) -> Service:
        (stage,) = service.stages
        encodings = tuple(
            replace(each, payload_bytes=stage.payload_bytes, time_us=0, loses_ppm=0) for each in stage.encodings
        )
        return replace(service, stages=(replace(stage, encodings=encodings[::-1]),), latency=())

    assert sent(edited(service=alike)) == {LEAF: {()}, SEED: {()}}

    def half(service: Service) -> Service:
        (stage,) = alike(service).stages
        encodings = tuple(replace(each, payload_bytes=1) for each in stage.encodings)
        return replace(service, stages=(replace(stage, encodings=encodings),), latency=())

    assert sent(edited(service=half)) == {LEAF: {("gzip",)}, SEED: {("gzip",)}}


def test_what_costs_nothing_to_send_is_sent_as_what_is_there_first() -> None:
    free = edited(
        link=lambda each: replace(each, bandwidth_kbps=10_000_000, egress=()),
        service=lambda each: replace(each, latency=()),
    )
    assert sent(free) == {LEAF: {()}, SEED: {()}}


def test_what_a_clause_bars_is_a_path_that_the_rule_excludes_and_no_other_way_is_over_it() -> None:
    found = built(uplink())
    barred = {row.path: row for row in found.slow if row.rule == "payload_fidelity"}
    assert {found.whole.path(path).encodings for path in barred} == {("fp16",)}
    assert {row.place.file for row in barred.values() if row.place} == {"compliance.yaml"}
    assert {path.id for path in by_options(found.whole).values()}.isdisjoint(barred)


def test_the_verifier_refuses_a_barred_encoding() -> None:
    found, plan = built(uplink()), decided(uplink()).plan
    assert verify(plan, found.whole) == ()
    (used,) = (route for route in plan.routes if found.whole.path(route.path).demand == SEED)
    options = found.whole.path(used.path).options
    (barred,) = (
        each for each in found.whole.paths if each.demand == SEED and each.options == options and each.id != used.path
    )
    others = tuple(route for route in plan.routes if route != used)
    broken = verify(replace(plan, routes=(*others, replace(used, path=barred.id))), found.whole)
    assert [(each.rule, each.measured, each.limit) for each in broken] == [("payload_fidelity", 0, 1)]


def test_a_plan_names_the_encoding_by_route_and_predicts_by_it() -> None:
    decision = decided(uplink())
    assert decision.verdict is Verdict.CHANGE
    assert {demand: {way.encodings for way in each} for demand, each in ways(decision).items()} == {
        LEAF: {("fp16",)},
        SEED: {("gzip",)},
    }
    p50_us = {each.service: each.p50_us for each in decision.forecasts}
    assert 90_000 < p50_us["seed-grading"] - p50_us["leaf-scan"] < 120_000  # 353 ms and 248 ms on the way
    told = {item.stage: item.encodings for item in candidates(uplink(), decision, built(uplink()).exclusions)}
    assert told == {"scan": ("fp16",), "grade": ("gzip",)}


def test_once_a_link_admits_less_routes_are_replaced_before_anything_else() -> None:
    first = decided(uplink())
    less = edited(link=lambda each: replace(each, precisions=()), service=lambda each: replace(each, latency=()))
    then = decided(less, first.fleet, first.state)
    assert {way.encodings for each in ways(then).values() for way in each} == {("gzip",)}
    assert then.transition.waves[0].name == "withdraw"
    assert then.fleet.loads == first.fleet.loads


def test_after_a_removal_that_nobody_vouches_for_inputs_still_arrive_whole() -> None:
    def two_stages(service: Service) -> Service:
        (stage,) = service.stages
        taken_out = Removal(data(("breeding",), ()), (), service.place)
        first = replace(stage, name="cut", removes=taken_out)
        return replace(service, stages=(first, replace(stage, after=("cut",), reads=stage.reads)), latency=())

    assert sent(edited(service=two_stages))[SEED] == {("gzip", "gzip")}


def test_the_way_of_an_option_goes_by_the_encoding_that_it_is_asked_with() -> None:
    problem = built(uplink()).problem
    demand = problem.demand(LEAF)
    (stage,), option = problem.service_of(demand).stages, problem.options[0]
    plain, packed = (network_us(problem.policy, demand, stage, option, name).mean() for name in ("", "fp16"))
    assert plain - packed == pytest.approx(491_520 - 245_760 - 2_000)


def test_a_profile_that_asks_for_the_message_itself_has_nothing_packed() -> None:
    policy = uplink()
    clause = PayloadClause(Fidelity.VERBATIM, policy.services[0].place)
    (profile,) = policy.compliance
    asked = edited(service=lambda each: replace(each, latency=()))
    everything = replace(profile, scope=Scope(), payloads=clause)
    assert sent(replace(asked, compliance=(everything,))) == {LEAF: {()}, SEED: {()}}


def test_encodings_are_resolved_to_bytes_rounded_up() -> None:
    stage = uplink().services[0].stages[0]
    assert [(each.format, each.payload_bytes, each.time_us, each.loses_ppm) for each in stage.encodings] == [
        ("gzip", 430_080, 9_000, 0),
        ("fp16", 307_200, 2_000, 4_000),
    ]
    assert (stage.encoding("zstd"), stage.sent_bytes("")) == (None, 614_400)
    assert isinstance(stage.encoding("gzip"), Encoding)
