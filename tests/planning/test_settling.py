"""A fleet without servers comes to rest, and what another policy makes of it is a difference of two rests."""

from dataclasses import replace
from datetime import UTC, datetime

from world import World

from controller.comparison import compared
from controller.decision import Verdict
from controller.documents import Documents
from controller.fleet import Fleet
from controller.settling import settled
from policy.resolved import Policy

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


def world() -> tuple[Policy, Documents]:
    built = World()
    policy, evidence = built.policy, built.snapshot().evidence
    return policy, Documents(policy, evidence, ())


def test_from_nothing_and_from_itself_a_fleet_rests_alike() -> None:
    policy, given = world()
    first = settled(policy, given.evidence, NOW)
    again = settled(policy, given.evidence, NOW, first.decision.fleet)
    assert first.at_rest
    assert again.at_rest
    assert again.decision.fleet == first.decision.fleet


def test_what_is_too_much_goes_in_steps_until_it_is_gone() -> None:
    policy, given = world()
    rest = settled(policy, given.evidence, NOW).decision.fleet
    much = Fleet(tuple(replace(load, instances=load.instances + 3) for load in rest.loads), rest.routes)
    after = settled(policy, given.evidence, NOW, much)
    assert after.at_rest
    assert sum(load.instances for load in after.decision.fleet.loads) < sum(load.instances for load in much.loads)


def test_the_same_policy_is_no_difference() -> None:
    _, given = world()
    assert compared(given, given, NOW).is_nothing


def test_evidence_that_is_taken_away_is_a_difference_with_its_finding() -> None:
    _, given = world()
    comparison = compared(given, replace(given, evidence=()), NOW)
    assert not comparison.is_nothing
    assert comparison.after.verdict is not Verdict.IMPOSSIBLE
    assert {"GW2010"} <= {finding.id for finding in comparison.came}
    assert any(promise.after and promise.after.served_permille == 0 for promise in comparison.promises)
    assert compared(replace(given, evidence=()), given, NOW).went


def test_what_another_policy_does_not_know_is_gone_with_it() -> None:
    policy, given = world()
    name = next(load.placement.pool for load in settled(policy, given.evidence, NOW).decision.fleet.loads)
    less = replace(policy, pools=tuple(pool for pool in policy.pools if pool.name != name))
    comparison = compared(given, replace(given, policy=less), NOW)
    assert any(f"@{name}" in change.subject and not change.after for change in comparison.changes)


def test_less_demand_is_compared_as_if_it_had_always_been_so() -> None:
    policy, given = world()
    busy, calm = (replace(given, policy=expecting(policy, factor)) for factor in (60, 1))
    found = compared(busy, calm, NOW)
    alone = settled(calm.policy, calm.evidence, NOW).decision
    assert found.before.cost_millicents_per_hour > found.after.cost_millicents_per_hour
    assert found.after.cost_millicents_per_hour == alone.cost_millicents_per_hour
    assert "GW2001" not in {finding.id for finding in (*found.came, *found.went)}


def expecting(policy: Policy, factor: int) -> Policy:
    services = (
        replace(each, expected_rate_milli_rps=factor * each.expected_rate_milli_rps) for each in policy.services
    )
    return replace(policy, revision=f"{factor} times", services=tuple(services))
