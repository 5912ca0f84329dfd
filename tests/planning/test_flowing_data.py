"""Where a stage may run once data was removed before it, for how long, and what is told of it."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from collectors.evidence.records import ARTEFACT, Evidence
from controller.access import access
from controller.admission.judging import Protected, judged, question
from controller.decision import Decision
from controller.documents import Documents
from controller.explain import Candidate
from controller.lapses import outlook
from controller.planning.build import build
from controller.planning.decide import decide
from controller.planning.ending import ends_of
from controller.planning.recheck import recheck
from policy.clauses import DATA_REMOVAL, ComplianceProfile, LocalityClause, Scope
from policy.data_flow import Data, Reads, data
from policy.resolved import Issuer, Policy, Removal
from rules.kernel.problem import Placement
from tests.planning.world import BUSY, FRANKFURT, OCR, PARIS, POLICY, START, World, finding_ids, line

CARDS = data(["cardholder"], [])
LAB = Issuer("lab", "https://lab.example", (), (), (DATA_REMOVAL,), (), (), "", 0, line(80), ("det",))
LEAD = timedelta(seconds=POLICY.scaling.evidence_lead_s)
DAY = timedelta(days=1)


def policy(*profiles: ComplianceProfile) -> Policy:
    """The pipeline, whose first stage removes card numbers; card data stays at its origin unless profiles are given."""
    service = POLICY.services[0]
    detect, orient, read = service.stages
    stages = (
        replace(detect, removes=Removal(CARDS, (), line(60))),
        replace(orient, reads=Reads.OUTPUTS),
        replace(read, reads=Reads.OUTPUTS),
    )
    service = replace(service, stages=stages, data_subjects=(), availability=None)
    stays = ComplianceProfile("stays", Scope(classes=("cardholder",)), (), (), None, None, None, line(70))
    local = replace(stays, locality=LocalityClause(line(71)))
    return replace(POLICY, services=(service, *POLICY.services[1:]), issuers=(LAB,), compliance=profiles or (local,))


def word(until: datetime, removes: Data = CARDS) -> Evidence:
    """The laboratory's word on the first stage's only variant."""
    return Evidence(
        "lab/1",
        ARTEFACT,
        "sha256:det-fp32",
        DATA_REMOVAL,
        (1,),
        LAB.iss,
        START - DAY,
        until,
        line(81),
        "00",
        removes=tuple(removes),
    )


def decided(*evidence: Evidence, asked: Policy | None = None) -> tuple[World, Decision]:
    world = World(policy=asked or policy(), rates=dict(BUSY))
    snapshot = world.snapshot()
    snapshot = replace(snapshot, evidence=(*snapshot.evidence, *evidence))
    return world, decide(world.policy, snapshot, world.state, world.now)


def sites(decision: Decision, stage: int) -> set[str]:
    ways = [way for routes in decision.fleet.routes if routes.service == OCR for way in routes.ways]
    return {way.placements[stage].pool for way in ways}


def test_later_stages_leave_their_origin_as_long_as_it_is_known_what_was_removed() -> None:
    end = START + DAY
    _, decision = decided(word(end))
    assert FRANKFURT not in sites(decision, 0)
    assert FRANKFURT in sites(decision, 1) | sites(decision, 2)
    assert decision.valid_until == end
    assert "GW0388" not in finding_ids(decision)


@pytest.mark.parametrize(
    "evidence", [(), (word(START + LEAD - timedelta(seconds=1)),), (word(START + DAY, data([], ["EU"])),)]
)
def test_without_that_they_stay_and_it_is_told_why(evidence: tuple[Evidence, ...]) -> None:
    _, decision = decided(*evidence)
    assert FRANKFURT not in sites(decision, 0) | sites(decision, 1) | sites(decision, 2)
    assert decision.valid_until is None
    (found,) = [each for each in decision.findings if each.id == "GW0388"]
    assert (found.place, found.subject) == (line(60), OCR)
    assert "stage detect of `receipt-ocr` does not count as removing the class `cardholder`" in found.message
    assert "`det/fp32`" in found.message


def test_it_is_enough_that_it_lasts_until_placements_can_leave() -> None:
    _, decision = decided(word(START + LEAD))
    assert FRANKFURT in sites(decision, 1) | sites(decision, 2)
    assert decision.valid_until == START + LEAD


def test_a_plan_that_goes_by_no_removal_does_not_end_with_it() -> None:
    free = replace(POLICY.compliance[0], certifications=(), name="free")
    _, decision = decided(word(START + DAY), asked=policy(free))
    assert sites(decision, 0)
    assert decision.valid_until is None


def test_certificates_end_by_themselves_where_a_removal_lasts_longer() -> None:
    world, decision = decided(word(START + 2_000 * DAY), asked=policy(POLICY.compliance[0]))
    assert decision.valid_until == world.certified[PARIS]


def test_a_word_that_a_newer_one_outlasts_ends_nothing_whatever_else_did_before() -> None:
    world = World(policy=policy(POLICY.compliance[0], *policy().compliance), rates=dict(BUSY))
    world.certified = dict.fromkeys(world.certified, START + 5 * DAY)
    words = (word(START + 10 * DAY), word(START + 2_000 * DAY))
    snapshot = replace(world.snapshot(), evidence=(*world.snapshot().evidence, *words))
    decision = decide(world.policy, snapshot, world.state, world.now)
    assert decision.fleet.routes
    found = ends_of(decision.plan, build(world.policy, snapshot, world.state, world.now).whole)
    assert found == {"certification": START + 5 * DAY, "data": START + 2_000 * DAY}


def test_a_decision_is_not_carried_out_once_nobody_vouches_any_more() -> None:
    world, decision = decided(word(START + DAY))
    found = recheck(world.policy, world.snapshot(), decision, world.now)
    assert {finding.place.line for finding in found if finding.place} == {71}


def test_the_forecast_tells_what_goes_with_the_word_on_a_removal() -> None:
    end = START + DAY
    found = outlook(policy(), (word(end),), START)
    (ending,) = found.endings
    assert (ending.at, ending.services, ending.clauses) == (end, (OCR,), (line(60),))
    gone = {(lapse.stage, each.pool) for lapse in found.lapses for each in lapse.gone}
    assert {stage for stage, _ in gone} == {"orient", "read"}
    assert ("read", FRANKFURT) in gone
    assert {lapse.at for lapse in found.lapses} == {end}
    assert found.findings == ()
    assert [each.id for each in outlook(policy(), (), START).findings] == ["GW0388"]


def test_a_cluster_is_told_the_same_as_plans_go_by() -> None:
    now_s = int(START.timestamp())
    for evidence, free in (((), False), ((word(START + DAY),), True)):
        answers = judged(question(policy(), evidence, now_s))
        assert answers[Protected(OCR, "detect")][FRANKFURT] is not None
        assert (answers[Protected(OCR, "read")][FRANKFURT] is None) == free


def test_what_a_pool_is_asked_for_goes_by_what_gets_there() -> None:
    asked = policy(POLICY.compliance[0])
    stages = [(stage.name, stage.model) for stage in asked.services[0].stages]
    every = [Candidate(OCR, PARIS, stage, Placement(model, "fp32", FRANKFURT), 1, 1000, ()) for stage, model in stages]
    held = "ComplianceProfile"
    removal = "stage detect removes class `cardholder` before it"
    for evidence, grounds in (((), [held] * 3), ((word(START + DAY),), [held, removal, removal])):
        found = access(OCR, FRANKFURT, every, Documents(asked, evidence, ()), START)
        assert [ground.clause.removeprefix(held) == ground.clause for each in found for ground in each.grounds] == [
            each == removal for each in grounds
        ]
        for ground in (ground for each in found for ground in each.grounds if ground.clause == removal):
            (proof,) = ground.evidence
            assert (proof.subject, proof.standard, proof.expires_at) == ("det/fp32", DATA_REMOVAL, START + DAY)
            assert ground.place == line(60)


def test_who_may_not_speak_of_a_removal_is_no_ground_for_it() -> None:
    asked = policy(POLICY.compliance[0])
    detect, *rest = asked.services[0].stages
    others = replace(detect, removes=Removal(CARDS, ("somebody",), line(60)))
    held = replace(asked, services=(replace(asked.services[0], stages=(others, *rest)), *asked.services[1:]))
    every = [Candidate(OCR, PARIS, "read", Placement("rec", "fp32", FRANKFURT), 1, 1000, ())]
    (found,) = access(OCR, FRANKFURT, every, Documents(held, (word(START + DAY),), ()), START)
    assert [ground.clause.startswith("ComplianceProfile") for ground in found.grounds] == [True]
