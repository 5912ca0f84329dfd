"""What turns say of resources, as conditions, statuses and events."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from collectors.snapshot import Latency, Quantiles, Reading, Snapshot
from controller.actions import GIVEN_UP, Outcome, SetLoad
from controller.cluster.custom_resources.condition import MOST_TOLD, Condition, Holds, condition
from controller.cluster.custom_resources.conditions import Resource, conditions
from controller.cluster.custom_resources.policies import Held, Told, held
from controller.cluster.custom_resources.statuses import Change, changes, event_manifests, status_manifest
from controller.decision import Decision, Verdict
from controller.loop.policies import InForce
from controller.loop.status import Status
from policy.catalogue import error
from policy.clauses import Scope
from policy.findings import Finding, Level, Place
from tests.planning.world import LYON, OCR, PARIS, POLICY, START, VAD, World, line

SERVICE, POOL, OTHER = Resource("Service", OCR), Resource("Pool", PARIS), Resource("Service", "new")
EVERY = ["Accepted", "Feasible", "Applied", "ObjectiveMet", "EvidenceValid"]


@pytest.fixture(scope="module")
def decided() -> tuple[World, Decision]:
    """A fleet after its first turn, in which nothing was carried out yet."""
    world = World()
    return world, world.refused_turn()


def said(status: Status, resource: Resource = SERVICE, now: datetime = START) -> dict[str, tuple[str, str]]:
    """By type, whether a condition holds and its reason."""
    found = conditions([resource], status, lambda _: ".spec.site", now)[resource]
    return {each.type: (each.holds.value, each.reason) for each in found}


def status(decided: tuple[World, Decision], **changed: Any) -> Status:
    world, decision = decided
    return replace(Status(in_force=InForce(world.policy), snapshot=world.snapshot(), decision=decision), **changed)


def test_a_service_has_every_condition_and_other_resources_that_they_are_accepted(
    decided: tuple[World, Decision],
) -> None:
    assert list(said(status(decided))) == EVERY
    assert said(status(decided), POOL) == {"Accepted": ("True", "InForce")}


def test_nothing_is_known_before_the_first_turn() -> None:
    assert said(Status()) == {
        "Accepted": ("Unknown", "NotRead"),
        **dict.fromkeys(EVERY[1:], ("Unknown", "Undecided")),
    }


def test_one_broken_resource_keeps_the_others_out() -> None:
    broken = error("GW0302", Place(POOL.file, 7, 3), "no site is called that", "name a site")
    told = Status(in_force=InForce(POLICY, (Finding("GW3002", Level.ERROR, "refused", "mend"), broken), START))
    found = conditions([POOL, SERVICE], told, lambda place: f".line{place.line}", START)
    assert found[POOL][0] == Condition(
        "Accepted", Holds.FALSE, "Invalid", ".line7: no site is called that (name a site; GW0302)"
    )
    assert found[SERVICE][0].reason == "PolicyRefused"
    assert found[SERVICE][0].message == "1 other resource cannot be accepted, so an earlier policy stays in force"
    first = replace(told, in_force=replace(told.in_force, policy=None))
    found = conditions([POOL, SERVICE], first, lambda _: "", START)
    assert found[SERVICE][0].message == "1 other resource cannot be accepted, so no policy is in force"


def test_a_service_that_is_not_in_force_yet_is_not_decided_on(decided: tuple[World, Decision]) -> None:
    assert said(status(decided), OTHER)["Feasible"] == ("Unknown", "Undecided")


def test_what_was_not_carried_out_is_under_way_until_it_is_or_fails(decided: tuple[World, Decision]) -> None:
    _, decision = decided
    actions = [(wave.name, action) for wave in decision.transition.waves for action in wave.actions]
    done = [Outcome(decision.id, name, action, START, START) for name, action in actions]
    assert said(status(decided))["Applied"] == ("False", "UnderWay")
    assert said(status(decided, outcomes=tuple(done)))["Applied"] == ("True", "Applied")
    loads = [each for each in done if isinstance(each.action, SetLoad) and each.action.load.placement.model == "det"]
    failed = (replace(loads[0], error="triton: no such model"),)
    assert said(status(decided, outcomes=failed))["Applied"] == ("False", "ActionFailed")
    cut_off = tuple(replace(each, error=GIVEN_UP) for each in done)
    assert said(status(decided, outcomes=cut_off))["Applied"] == ("False", "UnderWay")
    assert said(status(decided, outcomes=failed), Resource("Service", VAD))["Applied"] == ("False", "UnderWay")


def test_a_service_is_feasible_while_it_is_served_as_promised(decided: tuple[World, Decision]) -> None:
    _, decision = decided
    short = Finding("GW2010", Level.WARNING, "it refuses 20 %", "…", line(1), OCR)
    assert said(status(decided))["Feasible"] == ("True", "Planned")
    assert said(status(decided, decision=replace(decision, findings=(short,))))["Feasible"] == ("False", "Degraded")
    impossible = replace(decision, verdict=Verdict.IMPOSSIBLE)
    assert said(status(decided, decision=impossible))["Feasible"] == ("False", "NoPlan")
    asleep = replace(decision, state=replace(decision.state, asleep=(OCR,)))
    assert said(status(decided, decision=asleep))["Feasible"] == ("True", "Asleep")


def seen(p99_us: int, at: datetime = START, service: str = OCR) -> Snapshot:
    quantiles = Quantiles(100, p99_us // 2, p99_us - 1, p99_us)
    return Snapshot(START, latency=(Latency(service, PARIS, Reading(quantiles, at, "test")),))


@pytest.mark.parametrize(
    ("snapshot", "told"),
    [
        (seen(1_199_999), ("True", "Observed")),
        (seen(1_200_000), ("False", "TooSlow")),
        (seen(1_200_000, START - timedelta(minutes=5)), ("Unknown", "NotObserved")),
        (seen(1_200_000, service=VAD), ("Unknown", "NotObserved")),
        (None, ("Unknown", "NotObserved")),
    ],
)
def test_an_objective_is_met_as_callers_see_it(
    decided: tuple[World, Decision], snapshot: Snapshot | None, told: tuple[str, str]
) -> None:
    assert said(status(decided, snapshot=snapshot))["ObjectiveMet"] == told


@pytest.mark.parametrize(
    ("percentile_bp", "origin", "unseen"),
    [
        (9990, "", "p99.9 is not observed, only p50, p95, p99 are"),
        (9900, LYON, f"no runs of it from {LYON} were seen lately"),
    ],
)
def test_an_objective_that_is_not_seen_is_unknown_beside_one_that_is_met(
    decided: tuple[World, Decision], percentile_bp: int, origin: str, unseen: str
) -> None:
    world, _ = decided
    (own,) = world.policy.services[0].latency
    more = replace(own, percentile_bp=percentile_bp, origin=origin)
    asked = replace(world.policy.services[0], latency=(own, more))
    in_force = InForce(replace(world.policy, services=(asked, *world.policy.services[1:])))
    told = status(decided, in_force=in_force, snapshot=seen(1_199_999))
    met = conditions([SERVICE], told, lambda _: "", START)[SERVICE][3]
    assert (met.holds, met.reason) == (Holds.UNKNOWN, "NotObserved")
    assert met.message == f"{unseen}; p99 from {PARIS} is below 1200 ms"
    late = replace(told, snapshot=seen(1_200_000))
    assert said(late)["ObjectiveMet"] == ("False", "TooSlow")


def test_evidence_is_valid_as_long_as_the_plan_is(decided: tuple[World, Decision]) -> None:
    _, decision = decided
    ended = replace(decision, valid_until=START)
    unserved = replace(decision, fleet=replace(decision.fleet, routes=()))
    soon = replace(decision, findings=(Finding("GW2014", Level.WARNING, "it ends", "renew it"),))
    assert said(status(decided))["EvidenceValid"] == ("True", "Proven")
    assert said(status(decided), Resource("Service", VAD))["EvidenceValid"] == ("True", "NothingAsked")
    assert said(status(decided, decision=ended))["EvidenceValid"] == ("False", "Ended")
    assert said(status(decided, decision=unserved))["EvidenceValid"] == ("Unknown", "NotServed")
    assert said(status(decided, decision=soon))["EvidenceValid"] == ("True", "EndsSoon")


def test_what_clashes_for_another_service_is_not_told_of_this_one(decided: tuple[World, Decision]) -> None:
    _, decision = decided
    findings = (
        Finding("GW2010", Level.WARNING, "it refuses 20 %", "…", line(1), OCR),
        Finding("GW2011", Level.ERROR, "its clauses", "…", line(2), OCR),
        Finding("GW2011", Level.ERROR, "clauses of vad", "…", line(3), VAD),
        Finding("GW2011", Level.ERROR, "clauses of both", "…", line(4)),
    )
    told = status(decided, decision=replace(decision, findings=findings))
    feasible = conditions([SERVICE], told, lambda _: "", START)[SERVICE][1]
    assert feasible.message == ("it refuses 20 %; its clauses; of the plan, not of this service alone: clauses of both")


def test_what_ends_of_several_services_is_told_as_of_the_plan(decided: tuple[World, Decision]) -> None:
    world, decision = decided
    everybody = replace(POLICY.compliance[0], scope=Scope())
    shared = InForce(replace(world.policy, compliance=(everybody,)))
    ended = replace(decision, valid_until=START)
    soon = replace(decision, findings=(Finding("GW2014", Level.WARNING, "it ends", "renew it"),))
    for each in (SERVICE, Resource("Service", VAD)):
        assert said(status(decided, in_force=shared, decision=ended), each)["EvidenceValid"] == ("Unknown", "PlanEnded")
        assert said(status(decided, in_force=shared, decision=soon), each)["EvidenceValid"] == ("True", "Proven")
    routes = tuple(each for each in decision.fleet.routes if each.service == OCR)
    alone = replace(ended, fleet=replace(decision.fleet, routes=routes))
    assert said(status(decided, in_force=shared, decision=alone))["EvidenceValid"] == ("False", "Ended")


def test_a_message_is_one_line_and_not_too_long() -> None:
    assert condition("Accepted", Holds.TRUE, "X", "a\n  b").message == "a b"
    assert len(condition("Accepted", Holds.TRUE, "X", "a" * 5000).message) == MOST_TOLD


GOOD = Condition("Accepted", Holds.TRUE, "InForce", "in force")
BAD = Condition("Accepted", Holds.FALSE, "Invalid", "no site")
EARLIER = "2026-05-04T11:00:00Z"
KNOWN = Held("uid-1", 3, "", observed_generation=3, told=(Told(GOOD, EARLIER),))


def change(known: Held, *wanted: Condition) -> Change | None:
    return next(changes({POOL: known}, {POOL: wanted}, START), None)


def test_nothing_is_written_where_nothing_changed() -> None:
    assert change(KNOWN, GOOD) is None
    of_others = Told(Condition("Other", Holds.TRUE, "X", ""), EARLIER)
    assert change(replace(KNOWN, told=(of_others, *KNOWN.told)), GOOD) is None


def test_a_condition_holds_since_it_last_turned() -> None:
    otherwise = change(KNOWN, replace(GOOD, reason="Else"))
    turned = change(KNOWN, BAD)
    assert otherwise is not None
    assert turned is not None
    assert [each.since for each in (*otherwise.told, *turned.told)] == [EARLIER, "2026-05-04T12:00:00Z"]
    assert otherwise.news == (replace(GOOD, reason="Else"),)
    assert turned.is_urgent


def test_other_words_are_no_news_and_another_generation_is_urgent() -> None:
    words = change(KNOWN, replace(GOOD, message="otherwise"))
    generation = change(replace(KNOWN, generation=4), GOOD)
    assert words is not None
    assert generation is not None
    assert (words.news, words.is_urgent) == ((), False)
    assert (generation.news, generation.is_urgent) == ((), True)


def test_what_was_not_known_and_is_not_known_is_no_news() -> None:
    fresh = replace(KNOWN, told=())
    unknown = change(fresh, replace(GOOD, holds=Holds.UNKNOWN))
    known = change(fresh, GOOD)
    assert unknown is not None
    assert known is not None
    assert (unknown.news, known.news) == ((), (GOOD,))


def test_a_status_is_read_back_as_it_was_written() -> None:
    turned = change(replace(KNOWN, generation=4), BAD)
    assert turned is not None
    manifest = status_manifest(turned)
    metadata = {"uid": "uid-1", "generation": 4, "name": PARIS}
    back = held({**manifest, "metadata": metadata, "spec": {}})
    assert (back.observed_generation, back.told) == (4, turned.told)
    assert back == held({**manifest, "metadata": metadata, "spec": {}, "status": {}})


def test_an_event_tells_of_each_condition_that_is_news_and_has_its_name_from_it() -> None:
    turned = change(KNOWN, BAD)
    assert turned is not None
    (event,) = event_manifests(turned, "pod-a", START)
    assert (event["type"], event["reason"], event["note"]) == ("Warning", "Invalid", "Accepted is False: no site")
    assert event["eventTime"] == "2026-05-04T12:00:00.000000Z"
    assert event["regarding"]["uid"] == "uid-1"
    # The replica that follows one that ended finds the same told before.
    (same,) = event_manifests(turned, "pod-b", datetime(2026, 5, 4, 13, tzinfo=UTC))
    again = change(replace(KNOWN, told=(Told(GOOD, "2026-05-04T11:30:00Z"),)), BAD)
    assert again is not None
    (later,) = event_manifests(again, "pod-a", START)
    assert event["metadata"]["name"] == same["metadata"]["name"] != later["metadata"]["name"]
