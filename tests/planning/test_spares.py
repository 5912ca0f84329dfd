"""Spare instances and racks in whole decisions: kept where they can be, given up before requests are, and explained."""

from dataclasses import replace

from world import AVAILABILITY_LINE, BUSY, FRANKFURT, LYON, OCR, PARIS, POLICY, VAD, World, line

from controller.decision import Decision
from policy.resolved import AvailabilityObjective, Policy

SPARE = AvailabilityObjective(1, 1, line(AVAILABILITY_LINE), spares=1)


def of_service(name: str, availability: AvailabilityObjective | None) -> Policy:
    services = (replace(each, availability=availability) if each.name == name else each for each in POLICY.services)
    return replace(POLICY, revision="changed", services=tuple(services))


def instances(decision: Decision, model: str) -> int:
    return sum(load.instances for load in decision.fleet.loads if load.placement.model == model)


def served(decision: Decision, service: str) -> set[int]:
    return {item.served_permille for item in decision.forecasts if item.service == service}


def test_a_spare_is_an_instance_more_than_without() -> None:
    without = World(of_service(VAD, None)).turn()
    spared = World(of_service(VAD, SPARE)).turn()
    assert instances(spared, "vad") > instances(without, "vad")
    assert not any(finding.id == "GW2010" for finding in spared.findings)


def test_spares_are_used_before_requests_are_refused() -> None:
    lost = {}
    for name, availability in (("spared", replace(SPARE, spares=2)), ("bare", None)):
        world = World(of_service(OCR, availability), rates=dict(BUSY))
        assert served(world.turn(), OCR) == {1000}
        world.servers[FRANKFURT] = None
        lost[name] = [served(world.turn(), OCR) for _ in range(3)][-1]
    assert max(lost["spared"]) >= max(lost["bare"])


def test_why_spares_cannot_be_had_is_told_by_their_clause() -> None:
    world = World(of_service(OCR, replace(SPARE, spares=4)))
    world.budget(10_000)
    decision = world.rest()
    told = [f"{finding.message} {finding.hint}" for finding in decision.findings if finding.id == "GW2011"]
    assert any(f":{AVAILABILITY_LINE}" in message for message in told), told
    assert any("take the clause out" in message for message in told), told


def test_a_stage_is_spread_over_racks_of_a_pool() -> None:
    pools = tuple(replace(pool, racks=("a", "b")) if pool.name == FRANKFURT else pool for pool in POLICY.pools)
    only = replace(POLICY, pools=pools, revision="racks")
    services = tuple(
        replace(each, availability=AvailabilityObjective(1, 1, line(14), racks=2), origins=each.origins)
        for each in only.services
        if each.name == OCR
    )
    world = World(replace(only, services=services))
    for site in (PARIS, LYON):
        world.servers[site] = None
    nodes = {item.node for item in world.turn().plan.instances}
    assert {int(node.rsplit("-", 1)[1]) % 2 for node in nodes} == {0, 1}
