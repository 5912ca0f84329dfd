"""A service that nobody asks for, on real Triton servers and a real Envoy: unloaded, and back for the first request."""

import time
from pathlib import Path

import httpx
import numpy as np
import pytest

from controller.connections.connections import Connections
from controller.embedded.fleet import EmbeddedFleet
from controller.embedded.media import speech
from controller.journal.reader import reading
from controller.loop.status import Status
from controller.places import Places
from controller.planning.decide import decide
from controller.replay import replay
from policy.source import load_documents
from tests.embedded.parts import request
from tests.loop.real import at_work, held, settled

pytestmark = [pytest.mark.triton, pytest.mark.envoy]

SERVICE, MODEL = "call-vad", "silero-vad"
WAKE_UP_S = 20


def that_sleeps(policy: Path) -> None:
    """The voice service of the example, which scales to zero; so soon that a test need not wait."""
    file = policy / "services.yaml"
    ocr, vad = file.read_text().split("kind: Service\nmetadata: {name: call-vad")
    vad = vad.replace("spec:\n", f"spec:\n  scaleToZero: {{after: 3s, wakeUp: {WAKE_UP_S}s}}\n", 1)
    file.write_text(f"{ocr}kind: Service\nmetadata: {{name: call-vad{vad}")
    pace = policy / "fleet.yaml"
    pace.write_text(pace.read_text().replace("cooldown: 20s", "cooldown: 3s"))


def asleep(status: Status) -> bool:
    return settled(status) and status.decision is not None and status.decision.state.asleep == (SERVICE,)


async def standing(connections: Connections) -> int:
    """Instances of the service's model on all servers, as they say themselves."""
    found = [await held(connections, pool) for pool in connections.servers]
    return sum(count for models in found for name, count in models.items() if name.startswith(f"{MODEL}--"))


async def test_what_nobody_asks_for_is_unloaded_and_the_first_request_is_answered_in_time(
    places: Places, fleet: EmbeddedFleet
) -> None:
    that_sleeps(Path(str(places.policy)))
    url = f"{fleet.origin_url('edge-paris')}/{SERVICE}/listen/v2/models/{MODEL}/infer"
    said = {"audio": speech()[1], "state": np.zeros((2, 128), dtype=np.float32)}
    content, headers = request(f"{MODEL}--fp32", said)
    async with at_work(places) as controller, httpx.AsyncClient(trust_env=False) as client:
        await controller.until(asleep)
        assert await standing(places.connections) == 0
        begun = time.monotonic()
        answer = await client.post(url, content=content, headers=headers, timeout=2 * WAKE_UP_S)
        assert (answer.status_code, time.monotonic() - begun < WAKE_UP_S) == (200, True)
        assert await standing(places.connections) > 0
        await controller.until(asleep)
        assert await standing(places.connections) == 0
    with reading(places.journal) as reader:
        replayed = list(replay(reader, decide, load_documents))
    assert [(item.differences, item.trouble) for item in replayed] == [((), "")] * len(replayed)
