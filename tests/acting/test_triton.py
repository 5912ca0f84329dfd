"""Loads, resizes and unloads on real Triton servers, also while they serve."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from collectors.snapshot import ModelState
from collectors.triton_repository import RepositoryTarget, TritonRepository
from controller.acting.actuator import ActuatorError, HangError
from controller.acting.triton import TritonActuator, TritonLimits, TritonServer, servers_of
from controller.actions import SetLoad, Unload
from controller.embedded.fleet import EmbeddedFleet
from controller.fleet import Load
from tests.acting.calling import Calls, body
from tests.acting.world import ORIENT, PARIS, READ, world
from tests.loop.test_real_hanging import folder_of

pytestmark = [pytest.mark.triton, pytest.mark.envoy]


def url(fleet: EmbeddedFleet, path: str) -> str:
    return f"http://{fleet.connections.by_node()[PARIS, ''].http}{path}"


async def config(fleet: EmbeddedFleet, client: httpx.AsyncClient, name: str) -> tuple[int, int, int]:
    """(instances, largest batch, queue delay in us) as the server tells them."""
    found = (await client.get(url(fleet, f"/v2/models/{name}/config"))).json()
    delay = found["dynamic_batching"]["max_queue_delay_microseconds"]
    return found["instance_group"][0]["count"], found["max_batch_size"], delay


async def test_a_load_is_as_wanted_and_answers(
    triton: TritonActuator, fleet: EmbeddedFleet, client: httpx.AsyncClient
) -> None:
    await triton.apply("d", SetLoad(Load(ORIENT, 2, 2, 700)), world())
    assert await config(fleet, client, "ppocr-cls--fp32") == (2, 2, 700)
    answer = await client.post(url(fleet, "/v2/models/ppocr-cls--fp32/infer"), json=body("ppocr-cls"))
    assert answer.json()["outputs"][0]["name"] == "turned"


async def test_everything_else_of_the_repositorys_configuration_stays(
    triton: TritonActuator, fleet: EmbeddedFleet, client: httpx.AsyncClient
) -> None:
    await triton.apply("d", SetLoad(Load(ORIENT, 3, 1, 0)), world())
    found = (await client.get(url(fleet, "/v2/models/ppocr-cls--fp32/config"))).json()
    assert found["parameters"]["pace_us"]["string_value"] == "[[1, 20000]]"
    assert found["instance_group"][0]["kind"] == "KIND_CPU"


@pytest.mark.parametrize(
    "changed",
    [Load(ORIENT, 3, 4, 0), Load(ORIENT, 1, 4, 0), Load(ORIENT, 2, 2, 500)],
    ids=["more", "fewer", "batching"],
)
async def test_a_change_while_it_serves_loses_no_request(
    triton: TritonActuator, fleet: EmbeddedFleet, changed: Load
) -> None:
    await triton.apply("d", SetLoad(Load(ORIENT, 2, 4, 0)), world())
    async with Calls(url(fleet, "/v2/models/ppocr-cls--fp32/infer"), "ppocr-cls") as calls:
        await triton.apply("d", SetLoad(changed), world())
    assert len(calls.statuses) > 10
    assert set(calls.statuses) == {200}


async def test_an_unload_lets_the_requests_before_it_finish(triton: TritonActuator, fleet: EmbeddedFleet) -> None:
    await triton.apply("d", SetLoad(Load(READ, 1, 1, 0)), world())
    async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
        target = url(fleet, "/v2/models/ppocr-rec--fp32/infer")
        waiting = [asyncio.create_task(client.post(target, json=body("ppocr-rec"))) for _ in range(20)]
        await asyncio.sleep(0.2)
        await triton.apply("d", Unload(READ), world())
        answers = await asyncio.gather(*waiting)
        assert {answer.status_code for answer in answers} == {200}
        assert (await client.post(target, json=body("ppocr-rec"))).status_code != 200


async def test_what_is_unloaded_is_told_until_its_last_request_has_ended(
    triton: TritonActuator, fleet: EmbeddedFleet, client: httpx.AsyncClient
) -> None:
    await triton.apply("d", SetLoad(Load(READ, 1, 1, 0)), world())
    target = RepositoryTarget(PARIS, url(fleet, "").rstrip("/"))
    repository, at_once = TritonRepository(client, [target]), TritonLimits(drain=timedelta(0))
    impatient = TritonActuator(client, servers_of(fleet.connections), at_once)
    seen = set()
    async with httpx.AsyncClient(trust_env=False, timeout=60) as calling:
        to = url(fleet, "/v2/models/ppocr-rec--fp32/infer")
        waiting = [asyncio.create_task(calling.post(to, json=body("ppocr-rec"))) for _ in range(40)]
        await asyncio.sleep(0.3)
        unloading = asyncio.create_task(impatient.apply("d", Unload(READ), world()))
        while not unloading.done():
            (server,) = (await repository.collect(datetime.now(UTC))).servers
            held = server.reading.value.models if server.reading.value else ()
            seen |= {each.state for each in held if each.model == READ.model}
        await asyncio.gather(unloading, *waiting)
    assert ModelState.LOADING in seen


async def test_an_unload_does_not_wait_for_ever_for_callers_that_go_on(
    triton: TritonActuator, fleet: EmbeddedFleet, client: httpx.AsyncClient
) -> None:
    await triton.apply("d", SetLoad(Load(ORIENT, 1, 4, 0)), world())
    async with Calls(url(fleet, "/v2/models/ppocr-cls--fp32/infer"), "ppocr-cls"):
        await triton.apply("d", Unload(ORIENT), world())
        assert (await client.get(url(fleet, "/v2/models/ppocr-cls--fp32/ready"))).status_code != 200


async def test_a_model_that_the_repository_does_not_hold_is_told_by_the_name_it_needs(triton: TritonActuator) -> None:
    unknown = Load(type(ORIENT)("no-such", "fp32", PARIS), 1, 1, 0)
    with pytest.raises(ActuatorError, match="put it there as no-such--fp32"):
        await triton.apply("d", SetLoad(unknown), world())


async def test_what_the_server_refuses_is_told_in_its_words(triton: TritonActuator, fleet: EmbeddedFleet) -> None:
    folder = fleet.connections.gateways[0].routes.parent / "models" / PARIS / "broken--fp32"
    (folder / "1").mkdir(parents=True)
    (folder / "config.pbtxt").write_text('backend: "none-such"\nmax_batch_size: 1\n')
    with pytest.raises(ActuatorError, match=r"the server refused to load it \(\w+: .*none-such"):
        await triton.apply("d", SetLoad(Load(type(ORIENT)("broken", "fp32", PARIS), 1, 1, 0)), world())


async def test_a_pool_without_a_server_is_told_where_to_name_it(triton: TritonActuator) -> None:
    with pytest.raises(ActuatorError, match="under `servers` in the connections document"):
        await triton.apply("d", Unload(type(ORIENT)("ppocr-cls", "fp32", "elsewhere")), world())


async def never_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        await reader.read()
    finally:  # the test may be over first
        writer.close()


async def test_a_server_that_hangs_costs_a_bounded_time(client: httpx.AsyncClient) -> None:
    async with await asyncio.start_server(never_answer, "127.0.0.1", 0) as hanging:
        port = hanging.sockets[0].getsockname()[1]
        servers = {
            (PARIS, ""): TritonServer(
                f"http://127.0.0.1:{port}", f"http://127.0.0.1:{port}/metrics", f"127.0.0.1:{port}"
            )
        }
        actuator = TritonActuator(client, servers, TritonLimits(action=timedelta(milliseconds=200)))
        with pytest.raises(HangError, match=r"not as wanted within 0\.2 s") as raised:
            await actuator.apply("d", Unload(ORIENT), world())
        assert raised.value.seat == (ORIENT, "")


async def tell_of_orient(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer as a Triton does whose repository holds a model that is not loaded."""
    await reader.readuntil(b"\r\n\r\n")
    body = b'[{"name": "ppocr-cls--fp32", "state": "UNAVAILABLE"}]'
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n")
    writer.write(b"content-length: %d\r\n\r\n%s" % (len(body), body))
    await writer.drain()
    writer.close()


async def test_a_server_that_takes_a_load_and_never_answers_hangs(client: httpx.AsyncClient) -> None:
    async with (
        await asyncio.start_server(tell_of_orient, "127.0.0.1", 0) as telling,
        await asyncio.start_server(never_answer, "127.0.0.1", 0) as hanging,
    ):
        http, grpc = (f"127.0.0.1:{each.sockets[0].getsockname()[1]}" for each in (telling, hanging))
        servers = {(PARIS, ""): TritonServer(f"http://{http}", f"http://{http}/metrics", grpc)}
        actuator = TritonActuator(client, servers, TritonLimits(action=timedelta(seconds=1)))
        with pytest.raises(HangError, match="not as wanted within 1 s") as raised:
            await actuator.apply("d", SetLoad(Load(ORIENT, 1, 1, 0)), world())
        assert raised.value.seat == (ORIENT, "")


@contextmanager
def loading_slowly(model: Path, seconds: int) -> Iterator[None]:
    """While the block lasts, an instance that is made of what is there takes so long."""
    (code,) = model.glob("*/model.py")
    before = code.read_text()
    code.write_text(f"import time\ntime.sleep({seconds})\n{before}")
    try:
        yield
    finally:
        code.write_text(before)


async def test_a_server_that_is_asked_anew_answers_once_what_was_given_up_is_over(
    triton: TritonActuator, fleet: EmbeddedFleet, client: httpx.AsyncClient
) -> None:
    one, three = Load(ORIENT, 1, 1, 0), Load(ORIENT, 3, 1, 0)
    await triton.apply("d", SetLoad(one), world())
    with loading_slowly(folder_of(fleet, PARIS, "ppocr-cls--fp32"), 3):
        resizing = asyncio.create_task(triton.apply("d", SetLoad(three), world()))
        await asyncio.sleep(1)
        resizing.cancel()
        await asyncio.wait([resizing])
        assert await config(fleet, client, "ppocr-cls--fp32") == (1, 1, 0), "of a resize under way it tells nothing"
        await triton.apply("d", SetLoad(one, anew=True), world())
        for _ in range(20):
            assert await config(fleet, client, "ppocr-cls--fp32") == (1, 1, 0)
            await asyncio.sleep(0.2)
