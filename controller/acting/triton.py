"""Acting on Triton servers: loading, resizing and unloading variants through the model repository endpoints.

Loads and unloads go by gRPC. Asked by HTTP, a load holds up the requests of the server's other models until it is done:
measured on Triton 2.51, the p99 of a model beside it rose from 0.2 to 2.9 s.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from urllib.parse import quote

import httpx
import msgspec
from tritonclient.grpc.aio import InferenceServerClient
from tritonclient.utils import InferenceServerException

from collectors.fetch import Limits, SourceError, fetch
from collectors.snapshot import ModelState
from collectors.triton_config import ModelConfig, loaded_model
from collectors.triton_metrics import parse
from collectors.triton_names import triton_name
from collectors.triton_repository import Answer, IndexEntry, decode
from controller.acting.actuator import ActuatorError, HangError
from controller.acting.triton_config import Config, overridden
from controller.acting.waiting import LOOK_S, until
from controller.actions import Action, SetLoad, Unload
from controller.connections.connections import Connections
from controller.connections.servers import ServerKey
from controller.fleet import Load, Seat, seat_name
from policy.resolved import Policy

QUIET_S: Final = 0.5
"""A variant has drained when it had nothing pending and finished nothing for this long."""
ERROR_CHARACTERS: Final = 500


@dataclass(frozen=True, slots=True)
class TritonServer:
    """Where a Triton answers: the base address of its HTTP port, its metrics page, its gRPC address.

    `process` tells it from one that was there before, as far as that is known.
    """

    http: str
    metrics: str
    grpc: str
    process: str = ""


@dataclass(frozen=True, slots=True)
class TritonLimits:
    """How long an action may take as a whole, and how much of that an unload may wait for requests to drain."""

    action: timedelta = timedelta(seconds=60)
    drain: timedelta = timedelta(seconds=5)


class TritonActuator:
    """Loads, resizes and unloads. The repository must hold every variant as `<model>--<variant>`."""

    name = "triton"

    def __init__(
        self, client: httpx.AsyncClient, servers: Mapping[ServerKey, TritonServer], limits: TritonLimits | None = None
    ) -> None:
        self._client = client
        self._servers = servers
        self._limits = limits or TritonLimits()

    def handles(self, action: Action) -> bool:
        """Loads and unloads."""
        return isinstance(action, SetLoad | Unload)

    async def apply(self, decision_id: str, action: Action, policy: Policy) -> None:  # noqa: ARG002 - the action says all
        """Have the load as wanted, or the placement gone. Raises ActuatorError."""
        if not isinstance(action, SetLoad | Unload):
            raise ActuatorError(
                f"{self.name} cannot do {type(action).__name__}: give it to the actuator that handles it"
            )
        await self.have(action)

    async def have(self, action: SetLoad | Unload) -> None:
        """The same, by whom no policy is known. Raises ActuatorError."""
        seat = action.load.seat if isinstance(action, SetLoad) else action.seat
        work = self._set(action.load, anew=action.anew) if isinstance(action, SetLoad) else self._remove(seat)
        try:
            async with asyncio.timeout(self._limits.action.total_seconds()):
                await work
        except TimeoutError as error:
            raise HangError(
                f"{seat_name(seat)}: not as wanted within {self._limits.action.total_seconds():g} s; the next turn "
                "looks again: see the server's log for what it is busy with",
                seat,
            ) from error
        except SourceError as error:
            raise ActuatorError(f"{seat_name(seat)}: {error}") from error

    async def _set(self, load: Load, *, anew: bool) -> None:
        states = await self._states(load.seat)
        if not states:
            raise ActuatorError(
                f"{load}: its server's repository holds no such model: put it there as "
                f"{triton_name(load.placement.model, load.placement.variant)}"
            )
        if "READY" not in states:
            # Only a loaded model tells its configuration, which the wanted one is made from.
            await self._ask(load.seat, "load", lambda client, name: client.load_model(name))
        if anew or not await self._shows(load):
            # A server takes the calls for a model one after the other: once it answers, those before are over.
            wanted = overridden(await self._config(load.seat, Config), load)
            text = msgspec.json.encode(wanted).decode()
            await self._ask(load.seat, "load", lambda client, name: client.load_model(name, config=text))
            await until(lambda: self._shows(load))

    async def _remove(self, seat: Seat) -> None:
        if await self._states(seat) & {"READY", "LOADING"}:
            await self._drain(seat)
            await self._ask(seat, "unload", lambda client, name: client.unload_model(name))
        await until(lambda: self._gone(seat))

    async def _gone(self, seat: Seat) -> bool:
        return not await self._states(seat) & {"READY", "LOADING", "UNLOADING"}

    async def _shows(self, load: Load) -> bool:
        """Whether the server runs what the load asks for, read as the collector reads it."""
        name = (load.placement.model, load.placement.variant)
        found = loaded_model(name, ModelState.READY, await self._config(load.seat, ModelConfig))
        shown = (found.instances, found.max_batch, found.queue_delay_us)
        return shown == (load.instances, load.max_batch, load.queue_delay_us)

    async def _drain(self, seat: Seat) -> None:
        """Wait until requests have stopped. What still runs at the bound is finished by Triton before it unloads."""
        clock = asyncio.get_running_loop()
        end = clock.time() + self._limits.drain.total_seconds()
        last, quiet_since = None, clock.time()
        while clock.time() < end:
            pending, finished = await self._load_on(seat)
            if pending or finished != last:
                last, quiet_since = finished, clock.time()
            elif clock.time() - quiet_since >= QUIET_S:
                return
            await asyncio.sleep(LOOK_S)

    async def _load_on(self, seat: Seat) -> tuple[int, int]:
        """(requests pending, requests finished since the server started)."""
        source = self._server(seat).metrics
        scrape = parse(await fetch(self._client, "GET", source, Limits()), source)
        name = _name(seat)
        families = {"nv_inference_request_success", "nv_inference_request_failure"}
        finished = sum(n for (model, family, _), n in scrape.totals.items() if model == name and family in families)
        return scrape.pending.get(name, 0), finished

    async def _states(self, seat: Seat) -> set[str]:
        url = f"{self._server(seat).http}/v2/repository/index"
        index = decode(await fetch(self._client, "POST", url, Limits()), list[IndexEntry], url)
        name = _name(seat)
        return {entry.state for entry in index if entry.name == name}

    async def _config(self, seat: Seat, kind: type[Answer]) -> Answer:
        url = f"{self._server(seat).http}/v2/models/{quote(_name(seat), safe='')}/config"
        return decode(await fetch(self._client, "GET", url, Limits()), kind, url, strict=False)

    async def _ask(self, seat: Seat, verb: str, ask: Callable[[InferenceServerClient, str], Awaitable[None]]) -> None:
        async with InferenceServerClient(self._server(seat).grpc) as client:
            try:
                await ask(client, _name(seat))
            except InferenceServerException as error:
                status = str(error.status() or "no status").removeprefix("StatusCode.").lower()
                told = str(error.message())[:ERROR_CHARACTERS]
                raise ActuatorError(
                    f"{seat_name(seat)}: the server refused to {verb} it ({status}: {told}): see its log"
                ) from error

    def _server(self, seat: Seat) -> TritonServer:
        placement, node = seat
        if (placement.pool, node) not in self._servers:
            where = f"node {node} of pool {placement.pool}" if node else f"pool {placement.pool}"
            raise ActuatorError(
                f"{placement}: no server is known for {where}: name it under `servers` in the connections document"
            )
        return self._servers[placement.pool, node]


def servers_of(connections: Connections) -> dict[ServerKey, TritonServer]:
    """Where each server of the connections document answers."""
    return {
        key: TritonServer(f"http://{item.http}", f"http://{item.metrics}/metrics", item.grpc)
        for key, item in connections.by_node().items()
    }


def _name(seat: Seat) -> str:
    return triton_name(seat[0].model, seat[0].variant)
