"""A pool of two nodes, a real Triton on each behind a real Envoy: one is lost, requests go on, and it comes back."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np
import pytest

from controller.embedded.envoy_routes import SERVED_BY_HEADER
from controller.embedded.errors import PartMissingError
from controller.embedded.fleet import EmbeddedFleet, embedded_fleet
from controller.embedded.media import speech
from controller.journal.reader import reading
from controller.loop.status import Status
from controller.places import Places
from controller.planning.decide import decide
from controller.replay import replay
from policy.source import load, load_documents
from tests.embedded.parts import request
from tests.loop.conftest import ENVIRONMENT
from tests.loop.real import EXAMPLE, at_work, followed, held_by, settled

pytestmark = [pytest.mark.triton, pytest.mark.envoy]

POOL, NODES, MODEL = "hall", ("hall-0", "hall-1"), "silero-vad"
POLICY = """
apiVersion: gridwright.dev/v1alpha1
kind: Site
metadata: {name: hall}
spec: {jurisdictions: [EU]}
---
apiVersion: gridwright.dev/v1alpha1
kind: Pool
metadata: {name: hall}
spec: {site: hall, device: edge-module, nodes: 2, memory: 8GiB, price: $0.05/h, purchase: owned}
---
apiVersion: gridwright.dev/v1alpha1
kind: Service
metadata: {name: voice}
spec:
  origins: [{site: hall, share: 100%}]
  stages: [{name: listen, model: silero-vad, input: 17KiB}]
  demand: {rate: 10 req/s}
  objectives:
    - latency: {percentile: 99, below: 300ms, window: 5m}
    - availability: {sites: 1, nodes: 2}
---
apiVersion: gridwright.dev/v1alpha1
kind: ScalingPolicy
metadata: {name: pace}
spec: {interval: 1s, headroom: 20%, staleAfter: 15s}
"""


def written(folder: Path) -> Path:
    """The folder with the policy of the hall, and what its models and devices are like."""
    folder.mkdir()
    (folder / "hall.yaml").write_text(POLICY)
    for name in ("models.yaml", "devices.yaml"):
        (folder / name).write_text((EXAMPLE / name).read_text())
    return folder


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("hall") / "policy")


@pytest.fixture(scope="module")
def hall(policy: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedFleet]:
    loaded = load(policy)
    assert loaded.policy is not None, loaded.findings
    try:
        work = tmp_path_factory.mktemp("two-nodes") / "work"
        with embedded_fleet(loaded.policy, ENVIRONMENT, work, paced=True) as fleet:
            yield fleet
    except PartMissingError as error:
        pytest.skip(f"{error}")


def nodes_used(status: Status) -> set[str]:
    """The nodes on which the last decision has instances."""
    assert status.decision is not None
    return {load.node for load in status.decision.fleet.loads}


def nodes_missed(status: Status) -> set[str]:
    """The nodes whose server did not answer in the last turn."""
    assert status.snapshot is not None
    return {server.node for server in status.snapshot.servers if server.reading.value is None}


@dataclass(slots=True)
class Callers:
    """Asks for the service ten times a second, and keeps by which node each request was answered, or its status."""

    url: str
    answers: list[str] = field(default_factory=list)

    async def call(self, client: httpx.AsyncClient) -> None:
        said = {"audio": speech()[1], "state": np.zeros((2, 128), dtype=np.float32)}
        content, headers = request(f"{MODEL}--fp32", said)
        answer = await client.post(self.url, content=content, headers=headers)
        by = answer.headers.get(SERVED_BY_HEADER, "")
        self.answers.append(by.split("/")[1] if answer.status_code == 200 else str(answer.status_code))

    @asynccontextmanager
    async def calling(self) -> AsyncIterator[None]:
        async with httpx.AsyncClient(trust_env=False, timeout=20) as client, asyncio.TaskGroup() as calls:

            async def again_and_again() -> None:
                while True:
                    calls.create_task(self.call(client))
                    await asyncio.sleep(0.1)

            task = calls.create_task(again_and_again())
            try:
                yield
            finally:
                task.cancel()


async def test_a_node_is_lost_and_comes_back_while_the_other_one_serves(
    hall: EmbeddedFleet, policy: Path, tmp_path: Path
) -> None:
    places = Places(policy, tmp_path / "journal.db", hall.connections)
    callers = Callers(f"{hall.origin_url('hall')}/voice/listen/v2/models/{MODEL}/infer")
    async with at_work(places) as controller:
        await controller.until(lambda status: settled(status) and nodes_used(status) == set(NODES))
        async with callers.calling():
            await asyncio.sleep(3)
            assert {"hall-0", "hall-1"} == set(callers.answers)
            await hall.kill(POOL, "hall-1")
            lost = await controller.until(lambda s: nodes_missed(s) == {"hall-1"} and settled(s))
            assert nodes_used(lost) == {"hall-0"}
            assert [parts.nodes for item in await followed(places.connections) for parts in item.parts] == [
                (("hall-0", 1),)
            ]
            meanwhile = len(callers.answers)
            await asyncio.sleep(2)
            assert set(callers.answers[meanwhile:]) == {"hall-0"}
            await hall.restart(POOL, "hall-1")
            back = await controller.until(lambda s: nodes_used(s) == set(NODES) and settled(s))
            assert back.decision is not None
            returned = len(callers.answers)
            await asyncio.sleep(3)
        assert set(callers.answers[returned + 5 :]) == set(NODES)
        for (_, node), server in places.connections.by_node().items():
            asked = {load.placement.model: load.instances for load in back.decision.fleet.loads if load.node == node}
            held = await held_by(server)
            assert {name.partition("--")[0]: count for name, count in held.items()} == asked
        assert await followed(places.connections) == back.decision.fleet.routes
    refused = [answer for answer in callers.answers if answer not in NODES]
    assert refused == []
    with reading(places.journal) as reader:
        replayed = list(replay(reader, decide, load_documents))
    assert [(item.differences, item.trouble) for item in replayed] == [((), "")] * len(replayed)
