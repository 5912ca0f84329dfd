from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.evidence.records import Evidence
from collectors.snapshot import Snapshot
from controller.documents import observe
from controller.whatif import AssumedRate, LostCertification, TrafficFactor, WhatIf, imagine, unknown_names
from tests.planning.world import FRANKFURT, LYON, OCR, PARIS, POLICY, START, VAD, World, pci

SNAPSHOT = World().snapshot()


def rates(whatif: WhatIf, snapshot: Snapshot = SNAPSHOT) -> dict[tuple[str, str], int]:
    imagined = imagine(whatif, POLICY, snapshot)
    return {(o.service, o.origin): o.reading.value.milli_rps for o in imagined.offered if o.reading.value}


def test_nothing_imagined_is_what_was_observed() -> None:
    assert imagine(WhatIf(), POLICY, SNAPSHOT).servers == SNAPSHOT.servers
    assert imagine(WhatIf(), POLICY, SNAPSHOT).evidence == SNAPSHOT.evidence
    assert set(imagine(WhatIf(), POLICY, SNAPSHOT).offered) == set(SNAPSHOT.offered)


def test_a_factor_without_names_covers_all_traffic() -> None:
    assert rates(WhatIf((TrafficFactor(3000),))) == {
        (OCR, PARIS): 3600,
        (OCR, LYON): 2400,
        (VAD, PARIS): 18_000,
        (VAD, LYON): 18_000,
    }


@pytest.mark.parametrize(
    ("factor", "covered"),
    [
        (TrafficFactor(500, OCR), {(OCR, PARIS), (OCR, LYON)}),
        (TrafficFactor(500, "", LYON), {(OCR, LYON), (VAD, LYON)}),
        (TrafficFactor(500, VAD, PARIS), {(VAD, PARIS)}),
    ],
)
def test_a_factor_with_names_covers_only_those(factor: TrafficFactor, covered: set[tuple[str, str]]) -> None:
    before, after = rates(WhatIf()), rates(WhatIf((factor,)))
    assert {key for key in before if after[key] != before[key]} == covered
    assert all(after[key] == before[key] // 2 for key in covered)


def test_factors_that_overlap_multiply_and_apply_to_assumed_rates() -> None:
    whatif = WhatIf((TrafficFactor(2000), TrafficFactor(3000, OCR)), (AssumedRate(OCR, PARIS, 100),))
    assert rates(whatif)[OCR, PARIS] == 600


def test_what_was_never_measured_is_taken_at_its_expected_rate() -> None:
    unmeasured = observe(POLICY, (), START)
    assert rates(WhatIf(), unmeasured) == {}
    assert rates(WhatIf((TrafficFactor(2000, OCR, PARIS),)), unmeasured) == {(OCR, PARIS): 2400}


@pytest.mark.parametrize("permille", [0, 1000, 3000])
def test_so_many_times_nothing_is_what_was_observed(permille: int) -> None:
    quiet = World(rates=dict.fromkeys(World().rates, 0)).snapshot()
    assert imagine(WhatIf((TrafficFactor(permille),)), POLICY, quiet).offered == quiet.offered


def test_an_imagined_rate_is_as_fresh_as_the_snapshot() -> None:
    old = replace(SNAPSHOT, at=SNAPSHOT.at + timedelta(hours=1))
    (touched,) = {o.reading.at for o in imagine(WhatIf((TrafficFactor(1500),)), POLICY, old).offered}
    assert touched == old.at


def test_the_servers_of_a_lost_site_are_missing_and_not_empty() -> None:
    servers = {s.pool: s.reading.value for s in imagine(WhatIf(lost_sites=(LYON,)), POLICY, SNAPSHOT).servers}
    assert servers[LYON] is None
    assert servers[PARIS] is not None


def test_what_the_origin_of_a_lost_site_asks_for_goes_on() -> None:
    assert rates(WhatIf(lost_sites=(LYON,))) == rates(WhatIf())


def test_a_lost_certification_takes_the_evidence_of_the_site_and_of_its_pools() -> None:
    of_pool = replace(pci(FRANKFURT, START + timedelta(days=1)), subject_kind="pool")
    other = replace(of_pool, standard="iso-27001")
    snapshot = replace(SNAPSHOT, evidence=(*SNAPSHOT.evidence, of_pool, other))
    whatif = WhatIf(lost_certifications=(LostCertification(FRANKFURT, "pci-dss"),))
    left = imagine(whatif, POLICY, snapshot).evidence
    assert {(item.subject, item.standard) for item in left} == {(PARIS, "pci-dss"), (FRANKFURT, "iso-27001")}


def test_so_it_does_that_of_their_nodes_and_no_other_of_the_same_name() -> None:
    def of_node(pool: str) -> Evidence:
        return replace(pci(FRANKFURT, START + timedelta(days=1)), subject_kind="node", subject=f"{pool}/gpu-17")

    whatif = WhatIf(lost_certifications=(LostCertification(FRANKFURT, "pci-dss"),))
    snapshot = replace(SNAPSHOT, evidence=(of_node(FRANKFURT), of_node(PARIS)))
    assert imagine(whatif, POLICY, snapshot).evidence == (of_node(PARIS),)


def test_every_unknown_name_is_found_once_with_a_hint() -> None:
    whatif = WhatIf(
        traffic=(TrafficFactor(1, "receipt-orc"), TrafficFactor(2, "receipt-orc", "mars")),
        lost_sites=("edge-pari",),
        lost_certifications=(LostCertification(PARIS, "pci"),),
    )
    found = {finding.subject: finding.hint for finding in unknown_names(whatif, POLICY)}
    assert found == {
        "receipt-orc": "did you mean 'receipt-ocr'?",
        "mars": "known: edge-lyon, edge-paris",
        "edge-pari": "did you mean 'edge-paris'?",
        "pci": "did you mean 'pci-dss'?",
    }


def test_known_names_are_not_found_wanting() -> None:
    whatif = WhatIf(
        (TrafficFactor(1, OCR, LYON), TrafficFactor(1)),
        (AssumedRate(VAD, PARIS, 1),),
        (FRANKFURT,),
        (LostCertification(PARIS, "pci-dss"),),
    )
    assert unknown_names(whatif, POLICY) == ()


@given(permille=st.integers(0, 1_000_000))
def test_a_factor_never_makes_a_rate_that_is_negative_or_not_whole(permille: int) -> None:
    for key, rate in rates(WhatIf((TrafficFactor(permille),))).items():
        assert rate == rates(WhatIf())[key] * permille // 1000 >= 0
