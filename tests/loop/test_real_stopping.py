"""A real controller that is told to end while a real Triton hangs at a load."""

import asyncio
import json
import signal
import subprocess
import sys
import textwrap
import time
from functools import partial
from pathlib import Path

import httpx
import pytest

from controller.acting.waiting import until
from controller.actions import STOPPED
from controller.connections.reading import write_connections
from controller.embedded.fleet import EmbeddedFleet
from controller.journal.reader import reading
from controller.places import Places
from controller.planning.decide import decide
from controller.replay import replay
from policy.source import load_documents
from tests.loop.real import at_work, settled
from tests.loop.test_real_hanging import MODEL, OTHER, folder_of, hanging_at_load, pools_of

pytestmark = [pytest.mark.triton, pytest.mark.envoy]
WAITED_S = 6
REST_S = 20
"""What ends by itself, and what a busy machine takes."""


@pytest.mark.timeout(240)
async def test_it_ends_in_time_and_the_next_one_goes_on_from_what_is_noted(
    places: Places, fleet: EmbeddedFleet, tmp_path: Path
) -> None:
    write_connections(places.connections, tmp_path / "connections.json")
    async with at_work(places) as controller:
        await controller.until(settled)
        (hangs,) = await pools_of(places, OTHER)
    server = places.connections.by_node()[hangs, ""]
    async with httpx.AsyncClient(base_url=f"http://{server.http}/v2/repository", trust_env=False) as client:
        try:
            with hanging_at_load(folder_of(fleet, hangs, MODEL)):
                await client.post(f"models/{MODEL}/unload")
                process = started(places, tmp_path / "connections.json")
                try:
                    async with asyncio.timeout(60):
                        await until(partial(is_loading, client))
                    process.send_signal(signal.SIGTERM)
                    told = time.monotonic()
                    out, _ = await asyncio.to_thread(process.communicate, timeout=WAITED_S + REST_S)
                    took_s = time.monotonic() - told
                finally:
                    process.kill()
        finally:
            await fleet.kill(hangs)
            await fleet.restart(hangs)
    assert process.returncode == 0, out
    assert took_s >= WAITED_S, "what is under way is waited for"
    with reading(places.journal) as reader:
        *_, last = reader.outcomes()
        assert list(reader.verify_chain()) == []
    assert STOPPED in [json.loads(bytes(each))["error"] for each in last.outcomes]
    async with at_work(places) as controller:
        await controller.until(settled)
    with reading(places.journal) as reader:
        replayed = list(replay(reader, decide, load_documents))
    assert [each for each in replayed if each.differences or each.trouble] == []


async def is_loading(client: httpx.AsyncClient) -> bool:
    """Whether the server has taken the call for the load that hangs."""
    index = (await client.post("index")).json()
    return any(each["name"] == MODEL and each.get("state") == "LOADING" for each in index)


def started(places: Places, connections: Path) -> subprocess.Popen[str]:
    """A controller in a process of its own, which waits less long than it would."""
    code = f"""
        import asyncio
        from pathlib import Path
        from controller.loop import stopping
        stopping.WAITED_S = {WAITED_S}
        from controller.cli.running import run_until_told, tell
        from controller.connections.reading import read_connections
        from controller.places import Places

        known = read_connections(Path({str(connections)!r}))
        asyncio.run(run_until_told(Places(Path({str(places.policy)!r}), Path({str(places.journal)!r}), known), tell))
    """
    arguments = [sys.executable, "-c", textwrap.dedent(code)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
