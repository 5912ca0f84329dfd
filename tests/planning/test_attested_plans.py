"""Protected stages stay where a verifier's results are young enough, and leave in time where they are not."""

from dataclasses import replace
from datetime import timedelta

from collectors.evidence.records import Attestation, Evidence
from controller.decision import Decision
from controller.planning.decide import decide
from controller.planning.recheck import recheck
from policy.clauses import AttestationClause, StorageClause
from tests.planning.world import BUSY, FRANKFURT, LYON, OCR, PARIS, START, World, finding_ids, line, pools_of

CLAUSE = AttestationClause(("tdx",), ("hardware",), (), ("trustee",), 3_600, line(70))


def result(site: str, age_s: int) -> Evidence:
    """A result of a site that its verifier stands by for a day."""
    at = START - timedelta(seconds=age_s)
    said = Attestation("trustee", ("tdx",), ("hardware",), (), at)
    end = at + timedelta(days=1)
    return Evidence(f"trustee/{site}", "site", site, "attestation", (1,), "t", at, end, line(1), "00", said)


def decided(clause: AttestationClause = CLAUSE, **age_s: int) -> tuple[World, Decision]:
    """The decision with results of those sites that are so old."""
    world = World(rates=dict(BUSY))
    profiles = (replace(world.policy.compliance[0], attestation=clause), *world.policy.compliance[1:])
    world.policy = replace(world.policy, compliance=profiles)
    sites = {"paris": PARIS, "lyon": LYON, "frankfurt": FRANKFURT}
    results = tuple(result(sites[name], each) for name, each in age_s.items())
    snapshot = world.snapshot()
    snapshot = replace(snapshot, evidence=(*snapshot.evidence, *results))
    return world, decide(world.policy, snapshot, world.state, world.now)


def test_only_attested_sites_serve_and_the_plan_is_valid_until_the_first_result_is_too_old() -> None:
    world, decision = decided(paris=600, frankfurt=1_200)
    assert pools_of(decision, OCR) == {PARIS, FRANKFURT}
    assert decision.valid_until == world.now + timedelta(seconds=2_400)


def test_a_site_whose_result_is_too_old_before_placements_can_leave_is_not_used() -> None:
    lead_s = World().policy.scaling.evidence_lead_s
    assert PARIS in pools_of(decided(paris=3_600 - lead_s, frankfurt=0)[1], OCR)
    assert PARIS not in pools_of(decided(paris=3_600 - lead_s + 1, frankfurt=0)[1], OCR)


def test_a_statement_of_the_same_name_attests_nothing() -> None:
    world, _ = decided()
    bare = replace(result(PARIS, 0), attestation=None)
    snapshot = replace(world.snapshot(), evidence=(*world.snapshot().evidence, bare))
    assert pools_of(decide(world.policy, snapshot, world.state, world.now), OCR) == set()


def test_a_decision_is_not_carried_out_when_its_attestation_has_gone_meanwhile() -> None:
    world, decision = decided(paris=0, frankfurt=0)
    found = recheck(world.policy, world.snapshot(), decision, world.now)
    assert {finding.place.line for finding in found if finding.place} == {70}


def test_the_end_of_an_attestation_result_is_told_an_hour_ahead() -> None:
    daily = replace(CLAUSE, max_age_s=86_400)
    early, late = 86_400 - 3_601, 86_400 - 3_600
    assert "GW2014" not in finding_ids(decided(daily, paris=early, frankfurt=early)[1])
    assert "GW2014" in finding_ids(decided(daily, paris=late, frankfurt=early)[1])


def test_so_is_that_of_a_result_by_which_storage_is_encrypted() -> None:
    def told(**age_s: int) -> bool:
        world = World(rates=dict(BUSY))
        storage = replace(world.policy.compliance[0], storage=StorageClause(line(71)))
        world.policy = replace(world.policy, compliance=(storage, *world.policy.compliance[1:]))
        results = []
        for site, each in ((PARIS, age_s["paris"]), (FRANKFURT, age_s["frankfurt"])):
            said = result(site, each)
            assert said.attestation
            results.append(replace(said, attestation=replace(said.attestation, claims=("storage-opaque",))))
        snapshot = replace(world.snapshot(), evidence=(*world.snapshot().evidence, *results))
        decision = decide(world.policy, snapshot, world.state, world.now)
        assert pools_of(decision, OCR) == {PARIS, FRANKFURT}
        return "GW2014" in finding_ids(decision)

    early, late = 86_400 - 3_601, 86_400 - 3_600
    assert not told(paris=early, frankfurt=early)
    assert told(paris=late, frankfurt=early)


def test_a_pool_serves_once_each_of_its_nodes_is_attested() -> None:
    world = World(rates=dict(BUSY))
    profiles = (replace(world.policy.compliance[0], attestation=CLAUSE), *world.policy.compliance[1:])
    world.policy = replace(world.policy, compliance=profiles)
    nodes = world.policy.pool(FRANKFURT).node_subjects()
    results = tuple(replace(result(FRANKFURT, 0), id=node, subject_kind="node", subject=node) for node in nodes)
    for many, expected in ((len(nodes), {FRANKFURT}), (len(nodes) - 1, set())):
        snapshot = replace(world.snapshot(), evidence=(*world.snapshot().evidence, *results[:many]))
        assert pools_of(decide(world.policy, snapshot, world.state, world.now), OCR) == expected
