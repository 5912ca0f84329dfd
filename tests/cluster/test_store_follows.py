"""Informers: against answers that are played, and then on a real API server that is ended and started again."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from controller.cluster.api_server.calls import Calls, Limits, Object
from controller.cluster.api_server.reaching import client
from controller.cluster.api_server.resources import Resource
from controller.cluster.api_server.store import Name, Store, Watched
from controller.cluster.api_server.watching import Informer, Times, following
from tests.cluster.api_server import ApiServer, Manifest
from tests.cluster.restarting import Restarted
from tests.cluster.starting import KUBECONFIG

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
CONFIG_MAPS = Resource("v1", "configmaps")
PATIENCE_S = 60.0


def value(item: Object) -> str | None:
    """What is kept of a ConfigMap: its `x`, if it has one."""
    found: str | None = item.get("data", {}).get("x")
    return found


WATCHED = Watched(CONFIG_MAPS, value)


def config_map(name: str, x: str | None, version: int = 1) -> Manifest:
    metadata = {"name": name, "namespace": "a", "resourceVersion": str(version)}
    return {"metadata": metadata, "data": {} if x is None else {"x": x}}


def event(kind: str, name: str, x: str | None = None, version: int = 1) -> Manifest:
    return {"type": kind, "object": config_map(name, x, version)}


def listing(*items: Manifest, version: int = 1, following: str = "") -> httpx.Response:
    metadata = {"resourceVersion": str(version), **({"continue": following} if following else {})}
    return httpx.Response(200, json={"metadata": metadata, "items": items})


def watch(*events: Manifest) -> httpx.Response:
    return httpx.Response(200, content="".join(json.dumps(each) + "\n" for each in events).encode())


GONE = {"type": "ERROR", "object": {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"}}


def by_name(objects: Any) -> dict[str, str]:
    return {name.name: kept for name, kept in objects.items()}


def test_events_change_what_is_known_and_tell_whether_they_do() -> None:
    known = Store(WATCHED)
    assert known.become({Name("a", "one"): "1"}, "5")
    told = [
        known.take(event("ADDED", "two", "2", 6)),
        known.take(event("MODIFIED", "two", "2", 7)),
        known.take(event("MODIFIED", "one", "3", 8)),
        known.take(event("ADDED", "blank", None, 9)),
        known.take(event("BOOKMARK", "", None, 12)),
    ]
    assert told == [True, False, True, False, False]
    assert by_name(known.objects) == {"one": "3", "two": "2"}
    assert known.version == "12"
    assert known.take(event("MODIFIED", "one", None, 13))
    assert known.take(event("DELETED", "two", "2", 14))
    assert not known.take(event("DELETED", "two", "2", 15))
    assert by_name(known.objects) == {}
    assert not known.become({}, "16")


@dataclass
class Played:
    """An API server that gives answers in turn, and then none until it is cancelled; what it was asked."""

    answers: list[httpx.Response | Exception]
    asked: list[dict[str, str]] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)
    done: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(dict(request.url.params))
        if not self.answers:
            self.done.set()
            await asyncio.Event().wait()
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)
        await asyncio.sleep(0)


async def followed(
    *answers: httpx.Response | Exception, clock: Callable[[], datetime] = lambda: NOON
) -> tuple[Informer[str], Played]:
    """An informer that was given these answers, and what it asked for."""
    played = Played(list(answers))
    async with httpx.AsyncClient(transport=httpx.MockTransport(played.answer), base_url="https://cluster") as asked:
        calls = Calls(asked, Limits(deadline_s=0.1), draw=lambda: 0.5, sleep=played.sleep)
        informer = Informer(calls, WATCHED, clock, draw=lambda: 0.5, sleep=played.sleep)
        async with following(informer), asyncio.timeout(PATIENCE_S):
            await played.done.wait()
    return informer, played


def listings(played: Played) -> int:
    """How often everything was listed."""
    return sum("watch" not in asked and "continue" not in asked for asked in played.asked)


async def test_everything_is_listed_page_by_page_and_then_watched_from_there() -> None:
    informer, played = await followed(
        listing(config_map("one", "1"), following="more"),
        listing(config_map("two", "2"), version=7),
        watch(event("ADDED", "three", "3", 8)),
    )
    assert by_name(informer.objects) == {"one": "1", "two": "2", "three": "3"}
    first, second, watched, resumed = played.asked
    assert (first["limit"], second["continue"]) == ("500", "more")
    assert (watched["resourceVersion"], watched["allowWatchBookmarks"]) == ("7", "true")
    assert resumed["resourceVersion"] == "8"
    assert listings(played) == 1
    assert informer.as_of() == NOON


async def test_a_bookmark_is_where_the_next_watch_begins() -> None:
    _, played = await followed(listing(), watch(event("BOOKMARK", "", None, 99)))
    assert played.asked[-1]["resourceVersion"] == "99"


@pytest.mark.parametrize("gone", [watch(GONE), httpx.Response(410, json=GONE["object"])])
async def test_what_the_server_no_longer_knows_is_listed_anew(gone: httpx.Response) -> None:
    informer, played = await followed(
        listing(config_map("one", "1"), config_map("two", "2")), gone, listing(config_map("two", "3"), version=9)
    )
    assert by_name(informer.objects) == {"two": "3"}
    assert listings(played) == 2


async def test_a_page_that_comes_too_late_begins_the_listing_again() -> None:
    informer, played = await followed(
        listing(config_map("one", "1"), following="more"),
        httpx.Response(410, json=GONE["object"]),
        listing(config_map("two", "2")),
    )
    assert by_name(informer.objects) == {"two": "2"}
    assert "continue" not in played.asked[2]


async def test_a_server_that_is_away_is_asked_less_and_less_often_and_what_was_known_stays() -> None:
    away = httpx.ConnectError("refused")
    informer, played = await followed(listing(config_map("one", "1")), away, away, away)
    assert by_name(informer.objects) == {"one": "1"}
    assert listings(played) == 1
    assert played.waited == [0.125, 0.25, 0.5]


class EachLater:
    """A clock that is a second later each time that it is read; when it was read."""

    def __init__(self) -> None:
        self.read: list[datetime] = []

    def __call__(self) -> datetime:
        self.read.append(NOON + timedelta(seconds=len(self.read)))
        return self.read[-1]


def falling_silent() -> httpx.Response:
    """A watch that tells one event and then nothing."""

    async def lines() -> AsyncIterator[bytes]:
        yield json.dumps(event("ADDED", "two", "2", 8)).encode() + b"\n"
        raise httpx.ReadTimeout("")

    return httpx.Response(200, content=lines())


async def test_a_watch_that_falls_silent_is_taken_up_again_at_once_and_what_is_known_counts_as_before() -> None:
    clock = EachLater()
    informer, played = await followed(listing(config_map("one", "1")), falling_silent(), clock=clock)
    assert (informer.trouble, played.waited, played.asked[-1]["resourceVersion"]) == (None, [], "8")
    assert by_name(informer.objects) == {"one": "1", "two": "2"}
    assert informer.as_of() == clock.read[-1]


async def test_once_it_cannot_be_taken_up_again_what_is_known_is_as_old_as_what_was_told_last() -> None:
    clock = EachLater()
    informer, _ = await followed(listing(), falling_silent(), httpx.ConnectError("refused"), clock=clock)
    assert informer.trouble is not None
    _, told = clock.read
    assert informer.as_of() == told


async def test_what_a_watch_told_that_the_server_ended_is_true_until_that_end() -> None:
    clock = EachLater()
    informer, _ = await followed(listing(), watch(event("ADDED", "two", "2", 8)), httpx.ConnectError(""), clock=clock)
    listed, told, ended = clock.read
    assert listed < told < ended
    assert informer.as_of() == ended


async def test_a_watch_that_always_ends_at_once_makes_nothing_younger() -> None:
    clock = EachLater()
    informer, played = await followed(listing(), watch(), watch(), watch(), httpx.ConnectError(""), clock=clock)
    _, first_ended = clock.read
    assert informer.as_of() == first_ended
    assert played.waited == [0.125, 0.25, 0.5, 1.0]


async def test_a_watch_that_is_put_off_is_not_asked_for_before() -> None:
    busy = httpx.Response(429, json={"message": "too many"}, headers={"retry-after": "7"})
    _, played = await followed(listing(), busy, watch())
    assert played.waited[0] == 7.125


async def test_why_nothing_is_followed_is_told_until_it_is_again() -> None:
    informer, _ = await followed(httpx.Response(403, json={"message": "no", "reason": "Forbidden"}))
    assert informer.trouble is not None
    assert "403" in informer.trouble.message
    informer, _ = await followed(httpx.Response(403, json={}), listing(), watch())
    assert informer.trouble is None


async def test_an_object_that_is_not_understood_ends_nothing() -> None:
    informer, _ = await followed(
        listing(), watch({"type": "ADDED", "object": {"data": {}}}), listing(config_map("one", "1")), watch()
    )
    assert by_name(informer.objects) == {"one": "1"}


@asynccontextmanager
async def informed(work: Path, **times: float) -> AsyncIterator[tuple[Informer[str], Calls]]:
    """An informer of a real server, and the calls that it makes."""
    async with client("tests", str(work / KUBECONFIG)) as reached:
        calls, watched = Calls(reached), Watched(CONFIG_MAPS, value, labels="of=test")
        yield Informer(calls, watched, lambda: NOON, times=Times(**times)), calls


def put(server: ApiServer, name: str, x: str) -> Manifest:
    """A new ConfigMap."""
    metadata = {"name": name, "namespace": "default", "labels": {"of": "test"}}
    return server.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"x": x}})


async def comes_to(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not holds():  # noqa: ASYNC110 - some of it is no event
            await asyncio.sleep(0.05)


@pytest.mark.cluster
async def test_a_real_server_is_followed_through_watches_that_end_and_a_restart(restarted: Restarted) -> None:
    async with informed(restarted.work, watch_s=1) as (informer, calls):
        with restarted.serving() as server:
            put(server, "one", "1")
            async with following(informer):
                await informer.listed()
                two = put(server, "two", "2")
                await comes_to(lambda: by_name(informer.objects) == {"one": "1", "two": "2"})
                await asyncio.sleep(3)
                put(server, "three", "3")
                await comes_to(lambda: "three" in by_name(informer.objects))
                assert calls.answered["GET", 200] == 1
        async with following(informer):
            await comes_to(lambda: informer.trouble is not None)
            assert len(informer.objects) == 3
            with restarted.serving() as server:
                server.delete(two)
                put(server, "four", "4")
                await comes_to(lambda: by_name(informer.objects) == {"one": "1", "three": "3", "four": "4"})
                assert informer.trouble is None


@pytest.mark.cluster
async def test_a_version_that_a_real_server_has_forgotten_is_listed_anew(restarted: Restarted) -> None:
    async with informed(restarted.work) as (informer, calls):
        with restarted.serving() as server:
            one = put(server, "one", "1")
            async with following(informer):
                await informer.listed()
            server.delete(one)
            put(server, "two", "2")
            restarted.compact()
        with restarted.serving():
            async with following(informer):
                await comes_to(lambda: by_name(informer.objects) == {"two": "2"})
    assert calls.answered["GET", 200] == 2
