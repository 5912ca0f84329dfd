"""Routes on a real Envoy: what was asked for is what it follows, and can be read back from it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from controller.acting.actuator import ActuatorError, UnreadError
from controller.acting.envoy import EnvoyActuator
from controller.acting.envoy_files import ROUTE_FILE, replace_file, written
from controller.acting.envoy_stages import configuration, services_of, stage_routes
from controller.acting.triton import TritonActuator
from controller.acting.waiting import until
from controller.actions import SetLoad, SetRoutes
from controller.connections.gateway import GatewayConnection
from controller.embedded.fleet import EmbeddedFleet
from controller.fleet import Load, RouteSet, Way
from tests.acting.calling import body
from tests.acting.world import ORIENT, ORIENT_LYON, READ, READ_LYON, world

pytestmark = [pytest.mark.triton, pytest.mark.envoy]

ALL_PARIS = RouteSet("crops", "edge-paris", (Way(1000, (READ, ORIENT)),))
ALL_LYON = RouteSet("crops", "edge-paris", (Way(1000, (READ_LYON, ORIENT_LYON)),))
SPLIT = RouteSet("crops", "edge-lyon", (Way(300, (READ, ORIENT)), Way(600, (READ_LYON, ORIENT_LYON))))


async def served_by(fleet: EmbeddedFleet, client: httpx.AsyncClient, stage: str, model: str, draw: int) -> str:
    """Where a request from Paris went; its status when it was not served."""
    target = f"{fleet.origin_url('edge-paris')}/crops/{stage}/v2/models/{model}/infer"
    answer = await client.post(target, json=body(model), headers={"x-gridwright-draw": str(draw)}, timeout=15)
    return answer.headers["x-gridwright-served-by"] if answer.status_code == 200 else str(answer.status_code)


async def test_routes_are_read_back_as_they_were_set(envoy: EnvoyActuator) -> None:
    await envoy.apply("d", SetRoutes((ALL_PARIS, SPLIT)), world())
    assert await envoy.routes() == (SPLIT, ALL_PARIS)


async def test_encodings_are_read_back_and_the_gateway_packs_what_is_gzip(envoy: EnvoyActuator) -> None:
    packed = RouteSet("crops", "edge-paris", (Way(600, (READ, ORIENT), ("gzip", "fp16")), Way(400, (READ, ORIENT))))
    assert [entry.compressed for stage in stage_routes((packed,), services_of(world())) for entry in stage.entries] == [
        *(True, False),
        *(False, False),
    ]
    await envoy.apply("d", SetRoutes((packed,)), world())
    assert packed in await envoy.routes()


async def test_a_demand_that_is_not_named_keeps_its_routes(envoy: EnvoyActuator) -> None:
    await envoy.apply("d", SetRoutes((ALL_PARIS, SPLIT)), world())
    await envoy.apply("d", SetRoutes((ALL_LYON,)), world())
    assert await envoy.routes() == (SPLIT, ALL_LYON)


async def test_a_service_that_left_the_policy_loses_its_routes(envoy: EnvoyActuator) -> None:
    await envoy.apply("d", SetRoutes((ALL_PARIS,)), world())
    other = type(world())(**{**{name: getattr(world(), name) for name in world().__dataclass_fields__}, "services": ()})
    await envoy.apply("d", SetRoutes(()), other)
    assert await envoy.routes() == ()


async def test_requests_follow_a_change_at_once_and_each_stage_finds_its_variant(
    envoy: EnvoyActuator, triton: TritonActuator, fleet: EmbeddedFleet, client: httpx.AsyncClient
) -> None:
    for placement in (ORIENT, ORIENT_LYON, READ, READ_LYON):
        await triton.apply("d", SetLoad(Load(placement, 1, 4, 0)), world())
    await envoy.apply("d", SetRoutes((ALL_PARIS,)), world())
    assert await served_by(fleet, client, "orient", "ppocr-cls", 1) == "edge-paris-cpu/ppocr-cls--fp32"
    await envoy.apply("d", SetRoutes((ALL_LYON,)), world())
    assert await served_by(fleet, client, "orient", "ppocr-cls", 1) == "edge-lyon-cpu/ppocr-cls--fp32"
    assert await served_by(fleet, client, "read", "ppocr-rec", 1) == "edge-lyon-cpu/ppocr-rec--fp32"


async def test_a_demand_without_ways_is_refused_and_a_part_that_is_not_served_too(
    envoy: EnvoyActuator, triton: TritonActuator, fleet: EmbeddedFleet, client: httpx.AsyncClient
) -> None:
    assert await served_by(fleet, client, "orient", "ppocr-cls", 1) == "503"
    await triton.apply("d", SetLoad(Load(ORIENT, 1, 4, 0)), world())
    await envoy.apply("d", SetRoutes((RouteSet("crops", "edge-paris", (Way(600, (READ, ORIENT)),)),)), world())
    assert await served_by(fleet, client, "orient", "ppocr-cls", 599) == "edge-paris-cpu/ppocr-cls--fp32"
    assert await served_by(fleet, client, "orient", "ppocr-cls", 600) == "429"


async def test_the_same_routes_again_leave_the_file_alone(envoy: EnvoyActuator, fleet: EmbeddedFleet) -> None:
    await envoy.apply("d", SetRoutes((ALL_PARIS,)), world())
    file = fleet.connections.gateways[0].routes / "edge-paris" / "routes.json"
    before = file.stat().st_mtime_ns
    await envoy.apply("d", SetRoutes((ALL_PARIS,)), world())
    assert file.stat().st_mtime_ns == before


async def test_an_origin_without_a_gateway_is_told_where_to_name_it(envoy: EnvoyActuator) -> None:
    with pytest.raises(ActuatorError, match="edge-nice: name one under `gateways`"):
        await envoy.apply("d", SetRoutes((RouteSet("crops", "edge-nice", ()),)), world())


async def test_a_gateway_that_does_not_answer_is_named(client: httpx.AsyncClient, tmp_path: Path) -> None:
    away = GatewayConnection(admin="127.0.0.1:9", routes=tmp_path, origins={"edge-paris": "127.0.0.1:10"})
    with pytest.raises(ActuatorError, match=r"127\.0\.0\.1:9.*cannot be reached"):
        await EnvoyActuator(client, (away,)).apply("d", SetRoutes((ALL_PARIS,)), world())


async def test_a_route_folder_that_cannot_be_written_is_told(
    client: httpx.AsyncClient, fleet: EmbeddedFleet, envoy: EnvoyActuator, tmp_path: Path
) -> None:
    elsewhere = fleet.connections.gateways[0].model_copy(update={"routes": tmp_path / "none"})
    assert await envoy.routes() != ()
    with pytest.raises(ActuatorError, match="route folder is there"):
        await EnvoyActuator(client, (elsewhere,)).apply("d", SetRoutes((ALL_PARIS,)), world())


async def test_a_gateway_that_never_answers_keeps_no_other_from_its_routes(
    envoy: EnvoyActuator, fleet: EmbeddedFleet, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    await envoy.apply("d", SetRoutes((ALL_PARIS,)), world())
    taken = asyncio.Event()

    async def never(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await taken.wait()
        writer.close()

    async def followed() -> bool:
        return ALL_LYON in await envoy.routes()

    silent = await asyncio.start_server(never, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    hangs = GatewayConnection(admin=f"127.0.0.1:{port}", routes=tmp_path, origins={"edge-brest": "127.0.0.1:1"})
    both = EnvoyActuator(client, (hangs, *fleet.connections.gateways))
    setting = asyncio.create_task(both.apply("d", SetRoutes((ALL_LYON,)), world()))
    try:
        async with asyncio.timeout(3):
            await until(followed)
        assert not setting.done(), "it still waits for the one that hangs"
    finally:
        taken.set()
        with pytest.raises(ActuatorError):
            await setting
        silent.close()


async def test_an_origin_without_a_gateway_keeps_no_other_from_its_routes(envoy: EnvoyActuator) -> None:
    astray = RouteSet("crops", "edge-brest", ())
    with pytest.raises(ActuatorError, match="no gateway is known for requests from edge-brest"):
        await envoy.apply("d", SetRoutes((astray, ALL_LYON)), world())
    assert ALL_LYON in await envoy.routes()


async def test_a_gateway_that_does_not_answer_leaves_known_what_all_others_follow(
    envoy: EnvoyActuator, fleet: EmbeddedFleet, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    await envoy.apply("d", SetRoutes((ALL_LYON,)), world())
    away = GatewayConnection(admin="127.0.0.1:9", routes=tmp_path, origins={"edge-brest": "127.0.0.1:10"})
    with pytest.raises(UnreadError, match=r"127\.0\.0\.1:9.*cannot be reached") as unread:
        await EnvoyActuator(client, (away, *fleet.connections.gateways)).routes()
    assert unread.value.read == await envoy.routes()
    assert ALL_LYON in unread.value.read
    assert unread.value.origins == {"edge-brest"}


@asynccontextmanager
async def tells_until(fleet: EmbeddedFleet, falls_silent: Callable[[], bool]) -> AsyncIterator[GatewayConnection]:
    """The gateway by another admin port, which gives no answer any more from some moment on."""
    known = fleet.connections.gateways[0]
    host, port = known.admin.split(":")

    async def passed_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await reader.readuntil(b"\r\n\r\n")
        if not falls_silent():
            to_read, to_write = await asyncio.open_connection(host, int(port))
            to_write.write(asked.replace(b"keep-alive", b"close"))
            while part := await to_read.read(65_536):
                writer.write(part)
            to_write.close()
        writer.close()

    async with await asyncio.start_server(passed_on, "127.0.0.1", 0) as server:
        admin = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield known.model_copy(update={"admin": admin})


async def test_a_gateway_that_fell_silent_may_follow_what_it_was_given(
    envoy: EnvoyActuator, fleet: EmbeddedFleet, client: httpx.AsyncClient
) -> None:
    await envoy.apply("d", SetRoutes((ALL_PARIS, SPLIT)), world())
    file = fleet.connections.gateways[0].routes / "edge-paris" / "routes.json"
    before = file.stat().st_mtime_ns
    async with tells_until(fleet, lambda: file.stat().st_mtime_ns != before) as gateway:
        silent = EnvoyActuator(client, (gateway,))
        with pytest.raises(ActuatorError):
            await silent.apply("d", SetRoutes((ALL_LYON,)), world())
        assert ALL_LYON in await envoy.routes(), "it follows what counts as not done"
        with pytest.raises(UnreadError) as unread:
            await silent.routes()
    assert ALL_LYON in unread.value.maybe
    assert "edge-paris" in unread.value.origins


async def test_a_gateway_that_does_not_tell_what_it_follows_is_given_what_it_should(
    envoy: EnvoyActuator, fleet: EmbeddedFleet, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    await envoy.apply("d", SetRoutes((ALL_PARIS, SPLIT)), world())
    nowhere = RouteSet("crops", "edge-paris", ())
    async with tells_until(fleet, lambda: True) as gateway:
        silent = EnvoyActuator(client, (gateway,))
        for _ in range(2):
            with pytest.raises(ActuatorError):
                await silent.apply("d", SetRoutes((nowhere,)), world())

        async def has_left() -> bool:
            return ALL_PARIS not in await envoy.routes()

        await until(has_left)
        assert SPLIT in await envoy.routes()
        (tmp_path / "edge-paris").mkdir()
        unknown = gateway.model_copy(update={"routes": tmp_path})
        with pytest.raises(ActuatorError):
            await EnvoyActuator(client, (unknown,)).apply("d", SetRoutes((nowhere,)), world())
    assert not written(tmp_path / "edge-paris" / ROUTE_FILE).version, "of what others have there nothing is known"


async def test_a_gateway_may_follow_at_once_what_it_was_given_just_now(
    envoy: EnvoyActuator, fleet: EmbeddedFleet, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    await envoy.apply("d", SetRoutes((ALL_PARIS,)), world())
    given = configuration("edge-paris", (ALL_LYON,), services_of(world()), {})
    (tmp_path / "edge-paris").mkdir()
    replace_file(tmp_path / "edge-paris" / ROUTE_FILE, given)
    elsewhere = fleet.connections.gateways[0].model_copy(update={"routes": tmp_path})
    late = EnvoyActuator(client, (elsewhere,), timedelta(seconds=1))
    with pytest.raises(UnreadError, match="is about to follow") as unread:
        await late.routes()
    assert (unread.value.origins, unread.value.maybe) == (frozenset(), (ALL_LYON,))
    assert ALL_PARIS in unread.value.read
    await asyncio.sleep(1)
    assert ALL_PARIS in await late.routes(), "it does not follow that, so it never may"


async def test_what_a_gateway_was_given_in_vain_is_not_there_for_its_next_start(
    envoy: EnvoyActuator, fleet: EmbeddedFleet, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    await envoy.apply("d", SetRoutes((ALL_PARIS, SPLIT)), world())
    given = configuration("edge-paris", (ALL_LYON,), services_of(world()), {})
    (tmp_path / "edge-paris").mkdir()
    replace_file(tmp_path / "edge-paris" / ROUTE_FILE, given)
    elsewhere = fleet.connections.gateways[0].model_copy(update={"routes": tmp_path})
    await EnvoyActuator(client, (elsewhere,)).apply("d", SetRoutes((ALL_PARIS,)), world())
    assert written(tmp_path / "edge-paris" / ROUTE_FILE).routes == (ALL_PARIS,)
