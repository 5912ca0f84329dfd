"""One run of a service as its client does it: stage by stage through the origin's gateway, out and back each time."""

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
import numpy as np
from numpy.typing import NDArray

from controller.embedded.envoy_routes import DRAW_HEADER, SERVED_BY_HEADER
from controller.embedded.media import Picture, crop
from controller.embedded.models.catalogue import ORIENT_SHAPE, READ_SHAPE
from controller.embedded.tensors import decode, encode

TURNED_ABOVE = 0.9
"""How sure the network must be before a crop is turned, as its publishers use it."""
MAX_ANSWER_BYTES = 256 * 1024
OK = 200


@dataclass(frozen=True, slots=True)
class Call:
    """One stage's call. `http` is 0 when no answer came; `fault` then says why."""

    stage: str
    started_s: float
    latency_us: int
    http: int
    served_by: str
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a run: its calls in the order of their ends, and what the networks answered."""

    calls: tuple[Call, ...]
    answer: tuple[str, ...]
    complete: bool


class StageFailed(Exception):  # noqa: N818 -- ends a run early, it is no fault of this program
    """A stage gave no usable answer; the run ends."""


class Run:
    """One pipeline run: one draw and one trace for all its calls."""

    def __init__(self, session: aiohttp.ClientSession, base_url: str, numbers: random.Random) -> None:
        """`base_url` is the origin's gateway and the service's name."""
        self._session = session
        self._base_url = base_url
        self._numbers = numbers
        self._draw = str(numbers.getrandbits(63))
        self.trace_id = f"{numbers.getrandbits(128):032x}"
        self._calls: list[Call] = []

    async def ocr(self, picture: Picture, stages: Sequence[tuple[str, str]], fanout: int) -> Outcome:
        """Detect text, then set `fanout` crops upright, then read them. `stages` are three (name, model)."""
        (detect, detector), (orient, classifier), (read, reader) = stages
        try:
            found = await self._call(detect, detector, {"image": picture.pixels}, ["boxes"])
            boxes = _boxes(found["boxes"], fanout)
            crops = [crop(picture.pixels, box, ORIENT_SHAPE) for box in boxes]
            turns = await asyncio.gather(
                *(self._call(orient, classifier, {"crop": item}, ["turned"]) for item in crops)
            )
            upright = [
                crop(picture.pixels, box, READ_SHAPE, turned=turn["turned"][0] > TURNED_ABOVE)
                for box, turn in zip(boxes, turns, strict=True)
            ]
            texts = await asyncio.gather(*(self._call(read, reader, {"crop": item}, ["text"]) for item in upright))
        except StageFailed:
            return Outcome(tuple(self._calls), (), complete=False)
        return Outcome(tuple(self._calls), tuple(str(item["text"][0]) for item in texts), complete=True)

    async def speech(self, chunk: NDArray[np.int16], stages: Sequence[tuple[str, str]]) -> Outcome:
        """Ask for the probability of speech in one chunk that nothing came before. `stages` is one (name, model)."""
        ((stage, model),) = stages
        state = np.zeros((2, 128), dtype=np.float32)
        try:
            answer = await self._call(stage, model, {"audio": chunk, "state": state}, ["speech"])
        except StageFailed:
            return Outcome(tuple(self._calls), (), complete=False)
        return Outcome(tuple(self._calls), (f"{max(answer['speech']):.3f}",), complete=True)

    async def _call(
        self, stage: str, model: str, inputs: Mapping[str, NDArray[Any]], outputs: Sequence[str]
    ) -> dict[str, list[Any]]:
        body, headers = encode(inputs, outputs)
        headers[DRAW_HEADER] = self._draw
        headers["traceparent"] = f"00-{self.trace_id}-{self._numbers.getrandbits(64):016x}-01"
        started_s, started = time.time(), time.perf_counter_ns()
        status, served_by, fault, answer = 0, "", "", b""
        try:
            url = f"{self._base_url}/{stage}/v2/models/{model}/infer"
            async with self._session.post(url, data=body, headers=headers) as response:
                status, served_by = response.status, response.headers.get(SERVED_BY_HEADER, "")
                answer = await _bounded(response)
        except (aiohttp.ClientError, TimeoutError) as error:
            fault = type(error).__name__
        latency_us = (time.perf_counter_ns() - started) // 1000
        decoded = _decoded(answer) if status == OK and not fault else None
        if status == OK and decoded is None:
            fault = fault or "unreadable answer"
        self._calls.append(Call(stage, started_s, latency_us, status, served_by, fault))
        if decoded is None:
            raise StageFailed(stage)
        return decoded


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    """The body, cut off after MAX_ANSWER_BYTES: a longer one is no answer of ours, and then does not decode."""
    parts, size = [], 0
    async for part in response.content.iter_chunked(MAX_ANSWER_BYTES):
        parts.append(part)
        size += len(part)
        if size > MAX_ANSWER_BYTES:
            break
    return b"".join(parts)


def _decoded(answer: bytes) -> dict[str, list[Any]] | None:
    try:
        return decode(answer)
    except ValueError:
        return None


def _boxes(flat: Sequence[int], fanout: int) -> list[tuple[int, int, int, int]]:
    """`fanout` boxes of the detector's flat answer: the first ones, and again from the first when there are fewer."""
    rows = np.array(flat, dtype=np.int64).reshape(-1, 4)
    found = [(int(t), int(left), int(b), int(right)) for t, left, b, right in rows if b > t and right > left]
    if not found:
        found = [(0, 0, 48, 240)]
    return [found[index % len(found)] for index in range(fanout)]
