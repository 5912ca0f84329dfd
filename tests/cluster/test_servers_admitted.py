"""Servers of a pool on a real control plane: admitted where a plan has them, as long as what they serve is."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest

from controller.admission.door import Judged, parameter, policies
from controller.admission.judging import Protected, judged, question
from controller.admission.servers import Use
from controller.cluster.names import SYSTEM, namespace_of
from controller.cluster.servers.applying import Applier
from policy.resolved import Policy, Pool
from policy.source import load
from rules.kernel.problem import Problem
from tests.cluster.api_server import ApiServer, Manifest, eventually, message, one
from tests.cluster.fleet import SETTINGS, asked, calls, is_ready, pods, stand
from tests.cluster.pods import Namespace

pytestmark = pytest.mark.cluster

ROOT = Path(__file__).parents[2]
NOW_S = 1_900_000_000


@dataclass(frozen=True, slots=True)
class Case:
    """A pool, a stage that may be served there, and one that may not."""

    problem: Problem
    pool: Pool
    other: Pool
    yes: Protected
    no: Protected


@pytest.fixture(scope="module")
def case() -> Case:
    """Of the example `health`: a pool that may run one protected stage and not another."""
    policy: Policy | None = load(ROOT / "examples" / "health").policy
    assert policy is not None
    problem = question(policy, (), NOW_S)
    answers = judged(problem)
    for pool in policy.pools:
        yes = [each for each, pools in answers.items() if pools[pool.name] is None]
        no = [each for each, pools in answers.items() if pools[pool.name] is not None]
        if yes and no and pool.nodes > 1:
            other = next(each for each in policy.pools if each != pool)
            return Case(problem, pool, other, yes[0], no[0])
    pytest.fail("the example has no such pool")


def of(case: Case, *stages: Protected) -> Use:
    """A plan that serves stages on the first node of the pool."""
    return Use(frozenset(case.pool.node_names()[:1]), frozenset(stages))


@pytest.fixture(scope="module")
def judging(cluster: ApiServer, case: Case) -> Iterator[ApiServer]:
    """The control plane with the policies, the pool's nodes and what its servers are judged by."""
    stand(cluster, case.pool)
    system = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SYSTEM}}
    if not cluster.is_served(one(system)):
        cluster.create(system)
    made = [*policies(), door(case, of(case, case.yes))]
    (namespace,) = (each for each in asked(replace(case.pool, device="card")) if each["kind"] == "Namespace")
    for manifest in (namespace, *made):
        cluster.create(manifest)
    yield cluster
    for manifest in made:
        if cluster.is_served(one(manifest)):
            cluster.delete(manifest)


def door(case: Case, use: Use) -> Manifest:
    """What the servers of the pool are judged by while a plan uses it so."""
    pools = case.problem.policy.pools
    answers = Judged("", pools, (), judged(case.problem), "", None)
    return parameter(answers, [pool.name for pool in pools], ({case.pool.name: use},))


def put(cluster: ApiServer, case: Case, use: Use) -> None:
    """Have the servers judged by another use."""
    answers = door(case, use)
    cluster.delete(answers)
    cluster.create(answers)


async def test_servers_stand_where_the_plan_has_them_until_what_they_serve_may_not_run_there(
    judging: ApiServer, case: Case, cluster_kubeconfig: Path
) -> None:
    used, unused = case.pool.node_names()[:2]
    settings = SETTINGS.model_copy(update={"devices": {case.pool.device: None}})
    async with calls(cluster_kubeconfig) as by:
        applier = Applier(by)
        await applier.apply(asked(case.pool, settings=settings))
        where = Namespace(judging, namespace_of(case.pool.name))
        eventually(lambda: where.bind("probe", "nowhere").status_code == httpx.codes.FORBIDDEN)
        eventually(lambda: where.bind("probe", used).status_code == httpx.codes.NOT_FOUND)
        await applier.apply(asked(case.pool, used, unused, settings=settings))
        eventually(lambda: is_ready(pods(judging, case.pool).get(used, {})))
        eventually(lambda: any("no plan has a server on it" in each for each in told(judging, case.pool)))
        assert unused not in pods(judging, case.pool)
        put(judging, case, of(case, case.yes, case.no))
        eventually(lambda: "compliance.yaml:" in where.bind("probe", used).text)
        judging.delete(pods(judging, case.pool)[used] | {"apiVersion": "v1", "kind": "Pod"})
        eventually(lambda: used not in pods(judging, case.pool) and f"{used}-0" in pods(judging, case.pool))
        eventually(lambda: any("compliance.yaml:" in each for each in told(judging, case.pool)))
        assert used not in pods(judging, case.pool)
        put(judging, case, of(case, case.yes))
        eventually(lambda: is_ready(pods(judging, case.pool).get(used, {})))
        for each in await applier.standing():
            if each.key.kind == "StatefulSet":
                await applier.remove(each)


async def test_a_server_stays_off_the_nodes_of_another_pool(judging: ApiServer, case: Case) -> None:
    where = Namespace(judging, namespace_of(case.pool.name))
    for node in case.other.node_names():
        for refused in (
            where.bind("probe", node),
            where.bind("probe", node, old=True),
            where.restricted("probe", node),
        ):
            assert refused.status_code == httpx.codes.FORBIDDEN
            assert message(refused).endswith(f"node {node} may not run this pod: no plan has a server on it")


def test_while_nothing_is_written_no_server_comes_to_any_node(judging: ApiServer, case: Case) -> None:
    where, (node, *_) = Namespace(judging, namespace_of(case.pool.name)), case.pool.node_names()
    judging.delete(door(case, Use()))
    eventually(lambda: "no params found" in where.bind("probe", node).text)
    assert "no params found" in message(where.restricted("probe", node))
    judging.create(door(case, of(case, case.yes)))
    eventually(lambda: where.bind("probe", node).status_code == httpx.codes.NOT_FOUND)


def told(cluster: ApiServer, pool: Pool) -> list[str]:
    """What is said of a pool's servers in events."""
    items = cluster.get(f"/api/v1/namespaces/{namespace_of(pool.name)}/events")["items"]
    return [each.get("message", "") for each in items]
