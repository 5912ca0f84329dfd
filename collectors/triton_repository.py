"""What each pool's Triton holds: the index of its repository, and the settings that its models run with.

The two endpoints are spoken over httpx: tritonclient reads an answer whole, however large, and its asyncio client
cannot be imported without gevent.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final, TypeVar
from urllib.parse import quote

import httpx
import msgspec

from collectors.catalogue import ignored_names, source_trouble, unpredicted_batching
from collectors.fetch import Limits, SourceError, Trouble, fetch
from collectors.snapshot import LoadedModel, ModelState, Reading, Server, ServerState, Snapshot, merge
from collectors.triton_names import model_and_variant

MAX_MODELS: Final = 256

Answer = TypeVar("Answer")
Natural = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]


class IndexEntry(msgspec.Struct, frozen=True):
    """One version of a model in the index; a model that was never loaded has neither version nor state."""

    name: str
    state: str = ""


class InstanceGroup(msgspec.Struct, frozen=True):
    """`count` instances, on each of `gpus` when there are any."""

    count: Natural = 1
    gpus: tuple[Natural, ...] = ()


class QueuePolicy(msgspec.Struct, frozen=True):
    """When a request is refused for waiting too long, or because too many wait; 0 is never."""

    default_timeout_microseconds: Natural = 0
    max_queue_size: Natural = 0


class DynamicBatching(msgspec.Struct, frozen=True):
    """How long a request may wait for others, to share an execution, and in which order and how long at all."""

    max_queue_delay_microseconds: Natural = 0
    priority_levels: Natural = 0
    preserve_ordering: bool = False
    default_queue_policy: QueuePolicy | None = None


class ModelConfig(msgspec.Struct, frozen=True):
    """The part of a model's configuration that is read; the rest is passed over."""

    max_batch_size: Natural = 0
    instance_group: tuple[InstanceGroup, ...] = ()
    dynamic_batching: DynamicBatching | None = None
    sequence_batching: dict[str, object] | None = None
    ensemble_scheduling: dict[str, object] | None = None


@dataclass(frozen=True, slots=True)
class RepositoryTarget:
    """Where the server of a pool answers, such as `http://127.0.0.1:8000`."""

    pool: str
    url: str


def states(index: Sequence[IndexEntry]) -> dict[str, ModelState]:
    """By name, the best state of any version: a version that is ready serves, whatever becomes of the others."""
    best = {entry.name: ModelState.UNAVAILABLE for entry in index}
    for wanted in (ModelState.LOADING, ModelState.READY):
        best.update({entry.name: wanted for entry in index if entry.state == wanted.upper()})
    return best


def loaded_model(name: tuple[str, str], state: ModelState, config: ModelConfig) -> LoadedModel:
    """The variant as the snapshot has it. Triton's 0 for a model that does not batch reads as batches of 1."""
    instances = sum(group.count * max(len(group.gpus), 1) for group in config.instance_group)
    delay_us = config.dynamic_batching.max_queue_delay_microseconds if config.dynamic_batching else 0
    return LoadedModel(*name, state, instances, max(config.max_batch_size, 1), delay_us)


def unpredicted(config: ModelConfig) -> tuple[str, ...]:
    """What of a configuration changes how requests wait, and is not in predictions; by its name there."""
    batching = config.dynamic_batching or DynamicBatching()
    policy = batching.default_queue_policy or QueuePolicy()
    ways = {
        "sequence_batching": config.sequence_batching is not None,
        "ensemble_scheduling": config.ensemble_scheduling is not None,
        "priority_levels": batching.priority_levels > 1,
        "preserve_ordering": batching.preserve_ordering,
        "default_queue_policy": policy != QueuePolicy(),
    }
    return tuple(name for name, is_there in ways.items() if is_there)


class TritonRepository:
    """Asks every pool's server what it holds.

    A server that cannot be read whole has a missing reading: half of what it holds would look like the rest had gone.
    """

    name = "triton_repository"

    def __init__(
        self, client: httpx.AsyncClient, targets: Sequence[RepositoryTarget], limits: Limits | None = None
    ) -> None:
        self._client = client
        self._targets = tuple(targets)
        self._limits = limits or Limits()

    async def collect(self, now: datetime) -> Snapshot:
        """What every server holds, asked of all at once."""
        return merge(now, await asyncio.gather(*(self._read(target, now) for target in self._targets)))

    async def _read(self, target: RepositoryTarget, now: datetime) -> Snapshot:
        try:
            async with asyncio.timeout(self._limits.total.total_seconds()):
                return await self._server(target, now)
        except SourceError as error:
            trouble = error
        except TimeoutError:
            seconds = self._limits.total.total_seconds()
            hint = "see whether its host is overloaded, or give the collector more time"
            trouble = SourceError(Trouble.SLOW, f"{target.url} did not tell all its models within {seconds:g} s", hint)
        missing: Reading[ServerState] = Reading(None, None, target.url)
        finding = source_trouble(trouble, self.name, f"pool {target.pool}")
        return Snapshot(now, servers=(Server(target.pool, missing),), findings=(finding,))

    async def _server(self, target: RepositoryTarget, now: datetime) -> Snapshot:
        body = await fetch(self._client, "POST", f"{target.url}/v2/repository/index", self._limits)
        found = states(decode(body, list[IndexEntry], target.url))
        if len(found) > MAX_MODELS:
            hint = "split its repository; Gridwright puts only the variants of the policy there"
            raise SourceError(Trouble.LARGE, f"{target.url} lists {len(found)} models, over {MAX_MODELS}", hint)
        models = []
        ignored = []
        unknown: dict[str, tuple[str, ...]] = {}
        for name, state in found.items():  # one after the other: asking must not crowd out the requests it serves
            if split := model_and_variant(name):
                config = await self._config(target, name) if state is ModelState.READY else None
                models.append(loaded_model(split, state, config) if config else LoadedModel(*split, state, 0, 0, 0))
                if config and unpredicted(config):
                    unknown[name] = unpredicted(config)
            else:
                ignored.append(name)
        reading = Reading(ServerState(tuple(sorted(models))), now, target.url)
        findings = (
            *((ignored_names(ignored, target.pool),) if ignored else ()),
            *((unpredicted_batching(unknown, target.pool),) if unknown else ()),
        )
        return Snapshot(now, servers=(Server(target.pool, reading),), findings=findings)

    async def _config(self, target: RepositoryTarget, name: str) -> ModelConfig:
        url = f"{target.url}/v2/models/{quote(name, safe='')}/config"
        return decode(await fetch(self._client, "GET", url, self._limits), ModelConfig, url)


def decode(body: bytes, kind: type[Answer], source: str) -> Answer:
    """The JSON body as `kind`.

    Raises:
        SourceError: GARBLED.
    """
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        hint = "check that the address is that of a Triton's HTTP port, and that its release is supported"
        raise SourceError(Trouble.GARBLED, f"{source} is not the expected JSON: {error}", hint) from error
