"""A certification ends while a whole controller runs: what needs it moves, and the API server keeps it away."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from controller.cluster.names import namespace_of, pod_of
from controller.embedded.errors import PartMissingError
from controller.embedded.fleet import EmbeddedFleet, embedded_fleet
from controller.places import Places
from policy.resolved import Policy
from policy.source import load
from tests.cluster.api_server import ApiServer, eventually, message
from tests.cluster.controlling import accounted, at_work, places_of, runs_on
from tests.cluster.fleet import is_ready, pods, stand
from tests.cluster.pods import Namespace
from tests.loop.conftest import ENVIRONMENT
from tests.loop.real import EXAMPLE, held_by, settled

pytestmark = [pytest.mark.cluster, pytest.mark.triton, pytest.mark.envoy]

CHEAP, DEAR = "ward", "annex"
POLICY = """
apiVersion: gridwright.dev/v1alpha1
kind: Site
metadata: {name: clinic}
spec: {jurisdictions: [EU]}
---
apiVersion: gridwright.dev/v1alpha1
kind: Pool
metadata: {name: ward}
spec: {site: clinic, device: edge-module, nodes: 1, memory: 8GiB, price: $0.05/h, purchase: owned}
---
apiVersion: gridwright.dev/v1alpha1
kind: Pool
metadata: {name: annex}
spec: {site: clinic, device: edge-module, nodes: 1, memory: 8GiB, price: $0.50/h, purchase: owned}
---
apiVersion: gridwright.dev/v1alpha1
kind: Service
metadata: {name: dictation}
spec:
  data: {classes: [health]}
  origins: [{site: clinic, share: 100%}]
  stages: [{name: listen, model: silero-vad, input: 17KiB}]
  demand: {rate: 5 req/s}
  objectives: [{latency: {percentile: 99, below: 500ms, window: 5m}}]
---
apiVersion: gridwright.dev/v1alpha1
kind: ComplianceProfile
metadata: {name: health}
spec:
  appliesTo: {data: {classes: [health]}}
  certifications: {allOf: [{standard: hds}]}
---
apiVersion: gridwright.dev/v1alpha1
kind: ScalingPolicy
metadata: {name: pace}
spec: {interval: 1s, headroom: 20%, staleAfter: 15s}
"""
EVIDENCE = """
apiVersion: gridwright.dev/v1alpha1
kind: Evidence
metadata: {{name: {pool}-hds}}
spec:
  subject: {{pool: {pool}}}
  claim: {{standard: hds, version: "1"}}
  issuer: auditor.example
  issuedAt: 2026-01-15T00:00:00Z
  expiresAt: 2040-01-15T00:00:00Z
"""


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    folder = tmp_path / "policy"
    (folder / "evidence").mkdir(parents=True)
    (folder / "clinic.yaml").write_text(POLICY)
    for name in ("models.yaml", "devices.yaml"):
        (folder / name).write_text((EXAMPLE / name).read_text())
    for pool in (CHEAP, DEAR):
        (folder / "evidence" / f"{pool}.yaml").write_text(EVIDENCE.format(pool=pool))
    return folder


@pytest.fixture
def resolved(policy: Path) -> Policy:
    loaded = load(policy)
    assert loaded.policy is not None, loaded.findings
    return loaded.policy


@pytest.fixture
def tritons(resolved: Policy, tmp_path: Path) -> Iterator[EmbeddedFleet]:
    try:
        with embedded_fleet(resolved, ENVIRONMENT, tmp_path / "work", paced=True) as fleet:
            yield fleet
    except PartMissingError as error:
        pytest.skip(f"{error}")


@pytest.fixture
def account(cluster: ApiServer, cluster_work: Path, helm_is_built: None) -> Iterator[Path]:
    assert helm_is_built is None
    with accounted(cluster, cluster_work) as kubeconfig:
        yield kubeconfig


@pytest.fixture
def places(policy: Path, tritons: EmbeddedFleet, account: Path, tmp_path: Path) -> Places:
    return places_of(policy, tritons, account, tmp_path)


async def test_a_certification_ends_and_the_model_moves_and_the_cluster_refuses_by_itself(
    places: Places, policy: Path, resolved: Policy, tritons: EmbeddedFleet, cluster: ApiServer
) -> None:
    (old,), (new,) = (resolved.pool(name).node_names() for name in (CHEAP, DEAR))
    stand(cluster, *resolved.pools)
    async with at_work(places, cluster, tritons) as seen:
        await seen.until(lambda status: settled(status) and runs_on(status) == {old})
        assert [each for each in seen.status.findings if each.id.startswith("GW214")] == []
        await asyncio.to_thread(eventually, lambda: by_hand(cluster, CHEAP, old) == "")
        assert by_hand(cluster, CHEAP, new) == f"node {new} may not run this pod: no plan has a server on it"

        (policy / "evidence" / f"{CHEAP}.yaml").unlink()
        await seen.until(lambda status: settled(status) and runs_on(status) == {new})
        held = {pool: await held_by(server) for (pool, _), server in tritons.connections.by_node().items()}
        assert (held[CHEAP], len(held[DEAR])) == ({}, 1)
        await asyncio.to_thread(eventually, lambda: not pods(cluster, resolved.pool(CHEAP)))
        assert by_hand(cluster, DEAR, new) == ""
    for pool in (CHEAP, DEAR):
        assert by_hand(cluster, pool, old) == f"node {old} may not run this pod: no plan has a server on it"
    comes_back(cluster, resolved, new)


def by_hand(cluster: ApiServer, pool: str, node: str) -> str:
    """Why a pod may not come to a node in a pool's namespace, whichever way it is asked for; empty where it may."""
    where, name = Namespace(cluster, namespace_of(pool)), f"by-hand-on-{node}"
    made = where.restricted(name, node)
    bound = [where.bind(name, node, old=old) for old in (False, True)]
    if made.status_code == httpx.codes.CREATED:
        # There is no such pod to bind, which is found out only once the binding was admitted.
        assert [each.status_code for each in bound] == [httpx.codes.NOT_FOUND] * 2
        return ""
    (told,) = {message(each).rpartition("denied request: ")[2] for each in (made, *bound)}
    return told


def comes_back(cluster: ApiServer, resolved: Policy, node: str) -> None:
    """A server that is deleted where the plan has it is made anew by Kubernetes, and admitted, without a controller."""
    pool = resolved.pool(DEAR)
    path = f"/api/v1/namespaces/{namespace_of(DEAR)}/pods/{pod_of(node)}"
    before = cluster.get(path)
    cluster.delete({**before, "apiVersion": "v1", "kind": "Pod"})

    def is_anew() -> bool:
        now = pods(cluster, pool).get(node)
        return now is not None and is_ready(now) and now["metadata"]["uid"] != before["metadata"]["uid"]

    eventually(is_anew)
