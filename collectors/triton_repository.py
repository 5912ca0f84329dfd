"""What each Triton holds: the index of its repository, and the settings that its models run with.

The two endpoints are spoken over httpx: tritonclient reads an answer whole, however large, and its asyncio client
cannot be imported without gevent.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar
from urllib.parse import quote

import httpx
import msgspec

from collectors.catalogue import ignored_names, server_subject, source_trouble, unpredicted_batching
from collectors.fetch import Limits, SourceError, Trouble, fetch
from collectors.rotation import AT_ONCE, Asked, Rotation
from collectors.snapshot import LoadedModel, ModelState, Reading, Server, ServerState, Snapshot, merge
from collectors.triton_config import ModelConfig, loaded_model, resources_of, unpredicted
from collectors.triton_names import model_and_variant

MAX_MODELS: Final = 256
TOLD: Final = (
    ("UNLOADING", ModelState.LOADING),
    ("LOADING", ModelState.LOADING),
    ("READY", ModelState.READY),
)
"""What a server calls the states of a model that it has some of, the worst first."""

Answer = TypeVar("Answer")


class IndexEntry(msgspec.Struct, frozen=True):
    """One version of a model in the index; a model that was never loaded has neither version nor state."""

    name: str
    state: str = ""


@dataclass(frozen=True, slots=True)
class RepositoryTarget:
    """Where the server of a node, or of a whole pool, answers, such as `http://127.0.0.1:8000`."""

    pool: str
    url: str
    node: str = ""
    process: str = ""

    @property
    def asked(self) -> Asked:
        """Which server it is, as one process."""
        return Asked(self.pool, self.node, self.process)

    @property
    def subject(self) -> str:
        """What findings call it."""
        return server_subject(self.pool, self.node)


def states(index: Sequence[IndexEntry]) -> dict[str, ModelState]:
    """By name, the best state of any version: a version that is ready serves, whatever becomes of the others.

    What is being unloaded takes its room until it is gone, as what is being loaded does.
    """
    best = {entry.name: ModelState.UNAVAILABLE for entry in index}
    for told, wanted in TOLD:
        best.update({entry.name: wanted for entry in index if entry.state == told})
    return best


class TritonRepository:
    """Asks every server what it holds.

    A server that cannot be read whole has a missing reading: half of what it holds would look like the rest had gone.
    One whose turn it is not has its last reading, which tells its instant; one that did not answer is asked each time.
    """

    name = "triton_repository"

    def __init__(
        self,
        client: httpx.AsyncClient,
        targets: Iterable[RepositoryTarget],
        limits: Limits | None = None,
        rotation: Rotation | None = None,
    ) -> None:
        """`targets` are looked through each time, so others may be among them by then.

        Without a `rotation` all are due each time.
        """
        self._client = client
        self._targets = targets
        self._limits = limits or Limits()
        self._rotation = rotation
        self._free = asyncio.Semaphore(AT_ONCE)
        self._answered: dict[RepositoryTarget, Snapshot] = {}

    async def collect(self, now: datetime) -> Snapshot:
        """What every server holds, asked of those that are due."""
        targets = tuple(self._targets)
        due = self._rotation.due(now) if self._rotation else None
        kept = {
            target: self._answered[target]
            for target in targets
            if due is not None and target.asked not in due and target in self._answered
        }
        asked = [target for target in targets if target not in kept]
        found = dict(zip(asked, await asyncio.gather(*(self._in_turn(each, now) for each in asked)), strict=True))
        self._answered = kept | {
            each: part for each, part in found.items() if part.servers[0].reading.value is not None
        }
        return merge(now, (kept[each] if each in kept else found[each] for each in targets))

    async def _in_turn(self, target: RepositoryTarget, now: datetime) -> Snapshot:
        async with self._free:
            return await self._read(target, now)

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
        finding = source_trouble(trouble, self.name, target.subject)
        return Snapshot(now, servers=(Server(target.pool, missing, target.node),), findings=(finding,))

    async def _server(self, target: RepositoryTarget, now: datetime) -> Snapshot:
        body = await fetch(self._client, "POST", f"{target.url}/v2/repository/index", self._limits)
        found = states(decode(body, list[IndexEntry], target.url))
        if len(found) > MAX_MODELS:
            hint = "split its repository; Gridwright puts only the variants of the policy there"
            raise SourceError(Trouble.LARGE, f"{target.url} lists {len(found)} models, over {MAX_MODELS}", hint)
        named = {name: split for name in found if (split := model_and_variant(name))}
        configs: dict[str, ModelConfig] = {}
        for name in named:  # one after the other: asking must not crowd out the requests it serves
            if found[name] is ModelState.READY:
                configs[name] = await self._config(target, name)
        resources = resources_of(configs.values())
        models = [
            loaded_model(split, found[name], configs[name], resources)
            if name in configs
            else LoadedModel(*split, found[name], 0, 0, 0)
            for name, split in named.items()
        ]
        ignored = [name for name in found if name not in named]
        unknown = {name: ways for name, config in configs.items() if (ways := unpredicted(config, resources))}
        reading = Reading(ServerState(tuple(sorted(models))), now, target.url)
        findings = (
            *((ignored_names(ignored, target.subject),) if ignored else ()),
            *((unpredicted_batching(unknown, target.subject),) if unknown else ()),
        )
        return Snapshot(now, servers=(Server(target.pool, reading, target.node),), findings=findings)

    async def _config(self, target: RepositoryTarget, name: str) -> ModelConfig:
        url = f"{target.url}/v2/models/{quote(name, safe='')}/config"
        return decode(await fetch(self._client, "GET", url, self._limits), ModelConfig, url, strict=False)


def decode(body: bytes, kind: type[Answer], source: str, *, strict: bool = True) -> Answer:
    """The JSON body as `kind`; unless `strict`, numbers may be written as text, as protobuf writes long ones.

    Raises:
        SourceError: GARBLED.
    """
    try:
        return msgspec.json.decode(body, type=kind, strict=strict)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        hint = "check that the address is that of a Triton's HTTP port, and that its release is supported"
        raise SourceError(Trouble.GARBLED, f"{source} is not the expected JSON: {error}", hint) from error
