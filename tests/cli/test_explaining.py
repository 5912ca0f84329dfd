from dataclasses import replace
from datetime import timedelta

import pytest

from controller.decision import Decision, State
from controller.documents import observe
from controller.explain import Candidate, candidates, subjects
from controller.planning.build import build
from controller.planning.decide import decide
from tests.planning.world import FRANKFURT, LYON, OCR, PARIS, PCI_LINE, POLICY, START, VAD, pci

SEEN = observe(POLICY, tuple(pci(site, START + timedelta(days=9)) for site in (PARIS, FRANKFURT)), START)
EXCLUSIONS = build(POLICY, SEEN, State(), START).exclusions


@pytest.fixture(scope="module")
def decision() -> Decision:
    return decide(POLICY, SEEN, State(), START)


@pytest.fixture(scope="module")
def found(decision: Decision) -> tuple[Candidate, ...]:
    return candidates(POLICY, decision, EXCLUSIONS)


def test_every_use_has_every_placement_once(found: tuple[Candidate, ...]) -> None:
    keys = [(item.service, item.origin, item.stage, item.placement) for item in found]
    assert len(keys) == len(set(keys)) == 2 * 3 * 3 + 2 * 2 * 3


def test_the_shares_of_every_use_are_what_is_served(found: tuple[Candidate, ...]) -> None:
    for use in {(item.service, item.origin, item.stage) for item in found}:
        assert sum(item.share_permille for item in found if (item.service, item.origin, item.stage) == use) == 1000


def test_what_serves_has_instances_and_no_objection(found: tuple[Candidate, ...]) -> None:
    serving = [item for item in found if item.share_permille]
    assert serving
    assert all(item.instances and not item.objections for item in serving)


def test_a_barred_placement_names_one_objection_for_each_clause(found: tuple[Candidate, ...]) -> None:
    barred = [item for item in found if item.service == OCR and item.placement.pool == LYON]
    assert len(barred) == 6
    for item in barred:
        (objection,) = item.objections
        assert objection.rule == "certification"
        assert objection.place.line == PCI_LINE


def test_a_variant_without_a_profile_for_the_device_says_so(decision: Decision) -> None:
    slower = tuple(
        replace(device, variants=tuple(v for v in device.variants if v.variant != "half"))
        if device.device == "edge-gpu"
        else device
        for device in POLICY.devices
    )
    found = candidates(replace(POLICY, devices=slower), decision, EXCLUSIONS)
    halves = [i for i in found if i.service == VAD and i.placement.variant == "half" and i.placement.pool == PARIS]
    assert {objection.rule for item in halves for objection in item.objections} == {"profile"}


def test_one_can_ask_about_services_and_placements() -> None:
    known = subjects(POLICY)
    assert {OCR, VAD, f"vad/half@{LYON}"} <= set(known)
    assert len(known) == 2 + 5 * 3
