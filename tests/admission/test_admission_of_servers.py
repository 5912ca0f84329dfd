"""A pool's servers: admitted on its own nodes, as far as a plan uses them for what the rules allow there."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from kubernetes_validate import validate

from collectors.evidence.records import Attestation, Evidence
from collectors.snapshot import (
    Inventory,
    InventoryNode,
    LoadedModel,
    ModelState,
    Presence,
    Reading,
    Server,
    ServerState,
    Snapshot,
)
from controller.actions import SetLoad, SetRoutes, Transition, Unload, Wave
from controller.admission.door import Judged, parameter, policies, rejudged
from controller.admission.judging import Protected, judged, question
from controller.admission.manifests import for_servers
from controller.admission.policy import ALLOWED
from controller.admission.servers import Use, Uses, on_the_way, servers_judged, standing, uses
from controller.admission.taking import refused
from controller.fleet import Fleet, Load, RouteSet, Way
from controller.planning.known import known
from policy.clauses import AttestationClause
from policy.resolved import Policy, Pool, Service
from policy.source import load
from rules.kernel.problem import Placement, Problem
from tests.admission.test_admission_policies import CASES, NOW_S, ROOT, Cluster, certificate, permitted
from tests.planning.world import FRANKFURT, OCR, World, line

NOW = datetime.fromtimestamp(NOW_S, UTC)


@pytest.fixture(scope="module")
def policy() -> Policy:
    loaded = load(ROOT / "examples" / "health").policy
    assert loaded is not None
    return loaded


def staged(policy: Policy) -> Service:
    """A service of several stages."""
    return next(each for each in policy.services if len(each.stages) > 1)


def server(pool: str, node: str, *models: LoadedModel) -> Server:
    return Server(pool, Reading(ServerState(models), NOW, "triton"), node)


def bound(cluster: Cluster, pool: str, node: str) -> list[str]:
    body = {"metadata": {"name": "a-pod"}, "target": {"kind": "Node", "name": node}}
    return cluster.judge("pods/binding", {"gridwright.dev/pool": pool}, body)


def made(cluster: Cluster, pool: str, node: str) -> list[str]:
    """Why a pod may not be made that names its node."""
    body = {"metadata": {"name": "a-pod"}, "spec": {"nodeName": node}}
    return cluster.judge("pods", {"gridwright.dev/pool": pool}, body)


def kept(problem: Any, *used: Uses) -> Cluster:
    """The door while a controller keeps it for some uses."""
    answers = Judged("", problem.policy.pools, (), judged(problem), "", None)
    pools = [pool.name for pool in problem.policy.pools]
    return Cluster([*policies(), parameter(answers, pools, used)])


@pytest.mark.parametrize(("rule", "example"), CASES, ids=[f"{rule}: {example.name}" for rule, example in CASES])
def test_a_server_is_admitted_exactly_where_what_the_plan_serves_on_it_is_allowed(rule: str, example: Any) -> None:
    problem = example.problem
    covered = judged(problem).keys()
    for (service, stage, pool), allowed in permitted(problem).items():
        serves = Protected(service, stage)
        nodes = frozenset(problem.policy.pool(pool).node_names())
        cluster = kept(problem, {pool: Use(nodes, frozenset({serves}))})
        for node in nodes:
            expected = allowed or serves not in covered
            assert (bound(cluster, pool, node) == []) == expected, (rule, example.name, node)
            assert made(cluster, pool, node) == bound(cluster, pool, node)


def test_a_server_stays_off_the_nodes_of_other_pools_and_off_those_that_no_plan_uses(policy: Policy) -> None:
    first, second, *_ = policy.pools
    node, *unused = first.node_names()
    cluster = kept(question(policy, (), NOW_S), {first.name: Use(frozenset({node}))})
    assert bound(cluster, first.name, node) == made(cluster, first.name, node) == []
    for pool, other in [(first, each) for each in (*unused, *second.node_names())] + [(second, node)]:
        (told,) = bound(cluster, pool.name, other)
        assert told == f"node {other} may not run this pod: no plan has a server on it"
        assert made(cluster, pool.name, other) == [told]


def test_where_no_controller_has_written_anything_no_server_is_admitted(policy: Policy) -> None:
    pool, cluster = policy.pools[0], Cluster(list(policies()))
    assert bound(cluster, pool.name, pool.node_names()[0]) == ["no parameter"]


def test_between_two_plans_a_server_is_admitted_where_one_of_them_has_it_and_may(policy: Policy) -> None:
    three = tuple(replace(pool, nodes=3) for pool in policy.pools)
    problem = question(replace(policy, pools=three), (), NOW_S)
    pool, free, barred = next(both_kinds(problem))
    before, after, other = pool.node_names()
    stands = {pool.name: Use(frozenset({before}), frozenset({barred}))}
    wanted = {pool.name: Use(frozenset({after}), frozenset({free}))}
    for cluster in (kept(problem, stands, wanted), kept(problem, wanted, stands)):
        assert "compliance.yaml:" in bound(cluster, pool.name, before)[0]
        assert bound(cluster, pool.name, after) == []
        assert "no plan" in bound(cluster, pool.name, other)[0]
    both = {pool.name: Use(frozenset({before}), frozenset({free}))}
    assert bound(kept(problem, stands, both), pool.name, before) == [], "the plan that comes may have it"


def test_a_large_pool_that_may_serve_no_longer_is_shut_in_one_object(policy: Policy) -> None:
    large = tuple(replace(pool, nodes=5_000) for pool in policy.pools)
    problem = question(replace(policy, pools=large), (), NOW_S)
    pool, _, barred = next(both_kinds(problem))
    answers = Judged("", problem.policy.pools, (), judged(problem), "", None)
    nodes = pool.node_names()
    shut = parameter(answers, [pool.name], [{pool.name: Use(frozenset(nodes), frozenset({barred}))}])
    assert next(refused([shut]), None) is None
    assert shut["data"]
    assert ALLOWED not in shut["data"].values()
    assert len(json.dumps(shut)) < 1024 * 1024
    cluster = Cluster([*policies(), shut])
    assert "compliance.yaml:" in bound(cluster, pool.name, min(nodes))[0]
    assert "no plan" in bound(cluster, pool.name, max(nodes))[0]


def both_kinds(problem: Problem) -> Iterator[tuple[Pool, Protected, Protected]]:
    """Pools, each with a stage that may be served there and one that may not."""
    answers = judged(problem)
    for pool in problem.policy.pools:
        free = [stage for stage, pools in answers.items() if pools[pool.name] is None]
        barred = [stage for stage, pools in answers.items() if pools[pool.name] is not None]
        if free and barred:
            yield pool, free[0], barred[0]


def test_without_a_plan_a_server_may_stand_where_any_stage_may_run(policy: Policy) -> None:
    problem = question(policy, (), NOW_S)
    answers = judged(problem)
    every = [Protected(service.name, stage.name) for service in policy.services for stage in service.stages]
    for pool in policy.pools:
        free = any(each not in answers or answers[each][pool.name] is None for each in every)
        assert {objection is None for objection in servers_judged(problem)[pool.name].values()} == {free}


def test_what_is_used_is_read_from_loads_and_routes(policy: Policy) -> None:
    service = staged(policy)
    pool, other = policy.pools[0], policy.pools[1]
    first, *rest = service.stages
    placements = (
        Placement(first.model, "fp16", pool.name),
        *(Placement(stage.model, "fp16", other.name) for stage in rest),
    )
    fleet = Fleet(
        (Load(placements[0], 1, 1, 0, "a"), Load(placements[0], 1, 1, 0, "b"), Load(placements[0], 1, 1, 0)),
        (RouteSet(service.name, "anywhere", (Way(1000, placements),)),),
    )
    assert uses((Fleet(), fleet), policy) == {
        pool.name: Use(frozenset({"a", "b"}), frozenset({Protected(service.name, first.name)})),
        other.name: Use(frozenset(), frozenset(Protected(service.name, stage.name) for stage in rest)),
    }


def test_what_stands_is_read_from_servers_and_routes_and_what_is_on_the_way_from_actions(policy: Policy) -> None:
    service, pool = staged(policy), policy.pools[0].name
    ways = (Way(1000, tuple(Placement(stage.model, "fp16", pool) for stage in service.stages)),)
    routes = RouteSet(service.name, "anywhere", ways)
    loaded = LoadedModel("a", "fp16", ModelState.LOADING, 1, 1, 0)
    unloaded = LoadedModel("a", "fp16", ModelState.UNAVAILABLE, 0, 1, 0)
    servers = (
        server(pool, "a", loaded),
        server(pool, "b", unloaded),
        server(pool, "c"),
        Server(pool, Reading(None, None, "triton"), "d"),
    )
    stages = frozenset(Protected(service.name, stage.name) for stage in service.stages)
    stands = standing(Snapshot(NOW, servers=servers), (routes, RouteSet("gone", "anywhere", ways)), policy)
    assert stands == {pool: Use(frozenset({"a"}), stages)}
    grown, gone = Load(Placement("a", "fp16", pool), 1, 1, 0, "b"), Unload(Placement("b", "fp16", pool), "c")
    waves = (Wave("grow", (SetLoad(grown),)), Wave("route", (SetRoutes((routes,)),)), Wave("shrink", (gone,)))
    assert on_the_way(Transition(waves)) == Fleet((grown,), (routes,))


def test_routes_of_a_service_whose_stages_are_others_by_now_may_serve_any_of_them(policy: Policy) -> None:
    service, pool = staged(policy), policy.pools[0].name
    routes = RouteSet(service.name, "anywhere", (Way(1000, (Placement("a", "fp16", pool),)),))
    stands = standing(Snapshot(NOW), (routes,), policy)
    assert stands == {
        pool: Use(frozenset(), frozenset(Protected(service.name, stage.name) for stage in service.stages))
    }


def test_answers_are_made_anew_when_the_policy_its_evidence_or_time_changes_them(policy: Policy) -> None:
    held = (certificate("first", -10, 5_000), certificate("second", 3_000, 9_000))
    first = rejudged(None, policy, held, NOW)
    assert first.until_s is not None
    turn = datetime.fromtimestamp(first.until_s, UTC)
    assert rejudged(first, policy, held, turn - timedelta(seconds=1)) is first
    later = rejudged(first, policy, held, turn)
    assert later.until_s is None or later.until_s > first.until_s
    assert rejudged(first, policy, held[1:], NOW).evidence == held[1:]
    assert rejudged(first, replace(policy, revision="another"), held, NOW).revision == "another"
    pools = tuple(replace(pool, nodes=1, names=("gpu-17",)) for pool in policy.pools)
    assert rejudged(first, replace(policy, pools=pools), held, NOW).pools == pools


def test_the_manifests_are_as_kubernetes_has_them(policy: Policy) -> None:
    problem = question(policy, (), NOW_S)
    manifests = list(for_servers(problem))
    assert len(manifests) == 3 * len(policy.pools)
    for manifest in (*manifests, *kept(problem, {policy.pools[0].name: Use()}).documents):
        validate(manifest, "1.36", strict=True)


@pytest.mark.parametrize(("since_joined_s", "is_admitted"), [(0, True), (-1, False)])
def test_what_a_machine_of_before_was_attested_of_admits_no_server_on_the_one_of_its_name(
    since_joined_s: int, *, is_admitted: bool
) -> None:
    world = World()
    profile = replace(world.policy.compliance[0], attestation=AttestationClause((), (), (), ("t",), None, line(70)))
    policy = replace(world.policy, compliance=(profile,))
    joined, node = world.now - timedelta(hours=1), InventoryNode("gpu-1", server=Presence.READY)
    at = joined + timedelta(seconds=since_joined_s)
    result = Evidence(
        "t/gpu-1", "node", f"{FRANKFURT}/gpu-1", "attestation", (), "t", at, at + timedelta(days=1), line(1), "00"
    )
    result = replace(result, attestation=Attestation("t", (), (), (), at))
    seen = world.snapshot()
    here, counted = known(
        policy,
        replace(
            seen,
            evidence=(*seen.evidence, result),
            inventory=(Inventory(FRANKFURT, Reading((replace(node, since=joined),), world.now, "nodes")),),
            servers=(Server(FRANKFURT, Reading(ServerState(()), world.now, "triton"), "gpu-1"),),
        ),
        world.now,
    )
    answers = rejudged(None, here, counted.evidence, world.now)
    used = {FRANKFURT: Use(frozenset({"gpu-1"}), frozenset({Protected(OCR, "detect")}))}
    cluster = Cluster([*policies(), parameter(answers, [FRANKFURT], [used])])
    assert (bound(cluster, FRANKFURT, "gpu-1") == []) == is_admitted
