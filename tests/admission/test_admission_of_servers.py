"""A pool's servers: admitted on its own nodes, as far as a plan uses them for what the rules allow there."""

from collections.abc import Mapping
from typing import Any

import pytest
from kubernetes_validate import validate

from controller.admission.judging import Protected, judged, question
from controller.admission.manifests import for_servers, policies
from controller.admission.servers import Use, servers_judged, uses
from controller.fleet import Fleet, Load, RouteSet, Way
from policy.resolved import Policy
from policy.source import load
from rules.kernel.problem import Placement
from tests.admission.test_admission_policies import CASES, NOW_S, ROOT, Cluster, permitted


@pytest.fixture(scope="module")
def policy() -> Policy:
    loaded = load(ROOT / "examples" / "health").policy
    assert loaded is not None
    return loaded


def bound(cluster: Cluster, pool: str, node: str) -> list[str]:
    body = {"metadata": {"name": "a-pod"}, "target": {"kind": "Node", "name": node}}
    return cluster.judge("pods/binding", {"gridwright.dev/pool": pool}, body)


def served(problem: Any, used: Mapping[str, Use] | None = None) -> Cluster:
    return Cluster([*policies(), *for_servers(problem, used)])


@pytest.mark.parametrize(("rule", "example"), CASES, ids=[f"{rule}: {example.name}" for rule, example in CASES])
def test_a_server_is_admitted_exactly_where_what_the_plan_serves_on_it_is_allowed(rule: str, example: Any) -> None:
    problem = example.problem
    covered = judged(problem).keys()
    for (service, stage, pool), allowed in permitted(problem).items():
        serves = Protected(service, stage)
        nodes = frozenset(problem.policy.pool(pool).node_names())
        cluster = served(problem, {pool: Use(nodes, frozenset({serves}))})
        for node in nodes:
            assert (bound(cluster, pool, node) == []) == (allowed or serves not in covered), (rule, example.name, node)


def test_a_server_stays_off_the_nodes_of_other_pools_and_off_those_that_no_plan_uses(policy: Policy) -> None:
    problem = question(policy, (), NOW_S)
    first, second, *_ = policy.pools
    node, *unused = first.node_names()
    cluster = served(problem, {first.name: Use(frozenset({node}))})
    assert bound(cluster, first.name, node) == []
    for other in unused:
        (told,) = bound(cluster, first.name, other)
        assert told.endswith("no plan has a server on it")
    for other in second.node_names():
        (told,) = bound(cluster, first.name, other)
        assert told.endswith("nothing is known of it")
        (told,) = bound(cluster, second.name, other)
        assert told.endswith("no plan has a server on it")


def test_without_a_plan_a_server_may_stand_where_any_stage_may_run(policy: Policy) -> None:
    problem = question(policy, (), NOW_S)
    answers = judged(problem)
    every = [Protected(service.name, stage.name) for service in policy.services for stage in service.stages]
    for pool in policy.pools:
        free = any(each not in answers or answers[each][pool.name] is None for each in every)
        assert {objection is None for objection in servers_judged(problem)[pool.name].values()} == {free}


def test_what_is_used_is_read_from_loads_and_routes(policy: Policy) -> None:
    service = next(each for each in policy.services if len(each.stages) > 1)
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


def test_the_manifests_are_as_kubernetes_has_them(policy: Policy) -> None:
    manifests = list(for_servers(question(policy, (), NOW_S)))
    assert len(manifests) == 3 * len(policy.pools)
    for manifest in manifests:
        validate(manifest, "1.36", strict=True)
