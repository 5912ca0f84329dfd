"""Calls to the API server: what is tried again and when, and what is told of the rest; then the same on a real one."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import yaml
from kubernetes.config import incluster_config

from controller.cluster.api_server.backoff import LONGEST_S, asked_s, pause_s
from controller.cluster.api_server.calls import UNANSWERED, Calls, Limits, Object, owners
from controller.cluster.api_server.errors import (
    BusyError,
    CallError,
    ConflictError,
    ForbiddenError,
    GoneError,
    MissingError,
    RefusedError,
    UnansweredError,
)
from controller.cluster.api_server.reaching import client
from controller.cluster.api_server.resources import NAMESPACES, NODES, Resource
from policy.documents import API_VERSION
from tests.cluster.api_server import ApiServer, one

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
CONFIG_MAPS = Resource("v1", "configmaps")


def status(code: int, reason: str = "", causes: Sequence[dict[str, str]] = (), **headers: str) -> httpx.Response:
    """An answer of the API server that is no success."""
    said = {"kind": "Status", "message": f"told {code}", "reason": reason, "details": {"causes": list(causes)}}
    return httpx.Response(code, json=said, headers=headers)


class Played:
    """An API server that gives these answers in turn, the last one for ever; and how long was waited in between."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[httpx.Request] = []
        self.waited: list[float] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)
        await asyncio.sleep(0)


@asynccontextmanager
async def calls(played: Played, limits: Limits = Limits()) -> AsyncIterator[Calls]:  # noqa: B008
    transport = httpx.MockTransport(played.answer)
    async with httpx.AsyncClient(transport=transport, base_url="https://cluster") as asked:
        yield Calls(asked, limits, draw=lambda: 0.5, sleep=played.sleep)


OK = httpx.Response(200, json={"kind": "Node"})


def test_pauses_double_up_to_a_limit_and_are_drawn_from_all_below() -> None:
    assert [pause_s(attempt, 0.5) for attempt in (1, 2, 3)] == [0.125, 0.25, 0.5]
    assert pause_s(5000, 0.999) < LONGEST_S
    assert pause_s(4, 0.0) == 0.0
    assert pause_s(1, 0.0, asked_s=7.0) == 7.0


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("3", 3.0),
        ("Mon, 04 May 2026 12:00:09 GMT", 9.0),
        ("Mon, 04 May 2026 11:59:00 GMT", 0.0),
        ("soon", 0.0),
        ("", 0.0),
        (None, 0.0),
    ],
)
def test_a_server_may_ask_for_a_pause_by_a_number_or_a_date(told: str | None, seconds: float) -> None:
    assert asked_s(told, NOON) == seconds


@pytest.mark.parametrize(
    "first",
    [status(429, "TooManyRequests"), status(503), status(500), httpx.ConnectError("refused"), httpx.ReadError("cut")],
)
async def test_what_may_fare_better_is_tried_again(first: httpx.Response | Exception) -> None:
    played = Played(first, OK)
    async with calls(played) as asked:
        assert await asked.get("/api/v1/nodes/a") == {"kind": "Node"}
    assert played.waited == [0.125]


async def test_a_pause_that_is_asked_for_is_kept() -> None:
    played = Played(status(429, "TooManyRequests", **{"retry-after": "4"}), OK)
    async with calls(played) as asked:
        await asked.get("/api/v1/nodes/a")
        assert asked.answered == {("GET", 429): 1, ("GET", 200): 1}
    assert played.waited == [4.125]


async def test_a_pause_beyond_the_deadline_is_not_waited_for() -> None:
    played = Played(status(429, "TooManyRequests", **{"retry-after": "31"}), OK)
    async with calls(played) as asked:
        with pytest.raises(BusyError, match="429"):
            await asked.get("/api/v1/nodes/a")
    assert played.waited == []


async def test_a_server_that_stays_away_ends_the_call_at_its_deadline() -> None:
    played = Played(httpx.ConnectError("refused"))
    async with calls(played, Limits(deadline_s=0.2)) as asked:
        with pytest.raises(UnansweredError, match=r"refused.*see whether the API server runs"):
            await asked.get("/api/v1/nodes/a")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (status(401), ForbiddenError),
        (status(403, "Forbidden"), ForbiddenError),
        (status(404, "NotFound"), MissingError),
        (status(409, "AlreadyExists"), ConflictError),
        (status(409, "Conflict", [{"reason": "FieldManagerConflict", "field": ".spec"}]), ConflictError),
        (status(410, "Expired"), GoneError),
        (status(422, "Invalid"), RefusedError),
        (status(429, "TooManyRequests", [{"reason": "DisruptionBudget"}]), BusyError),
        (httpx.Response(404, text="<html>"), MissingError),
    ],
)
async def test_what_is_refused_is_told_at_once(answer: httpx.Response, kind: type[RefusedError]) -> None:
    played = Played(answer)
    async with calls(played) as asked:
        with pytest.raises(RefusedError) as refused:
            await asked.apply("/api/v1/nodes/a", {"metadata": {"name": "a"}}, "gridwright")
    assert type(refused.value) is kind
    assert refused.value.status == answer.status_code
    assert len(played.asked) == 1


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        (Resource(API_VERSION, "pools").path(), "see whether deploy/crds is applied"),
        (Resource("v1", "pods").path("gpu-17-0", namespace="gridwright-edge"), "see whether it was deleted meanwhile"),
        (
            Resource("coordination.k8s.io/v1", "leases").path("gridwright", namespace="gridwright-system"),
            "see whether it was deleted meanwhile",
        ),
    ],
)
async def test_definitions_of_custom_resources_are_named_only_where_they_may_be_missing(path: str, hint: str) -> None:
    async with calls(Played(status(404, "NotFound"))) as asked:
        with pytest.raises(MissingError) as missing:
            await asked.get(path)
    assert missing.value.hint.startswith(hint)


async def test_two_writes_at_once_are_done_again_unless_they_were_about_a_version() -> None:
    conflict = status(409, "Conflict")
    played = Played(conflict, OK)
    async with calls(played) as asked:
        await asked.apply("/api/v1/nodes/a", {"metadata": {"name": "a"}}, "gridwright")
        assert len(played.asked) == 2
        played.answers = [conflict]
        with pytest.raises(ConflictError):
            await asked.replace("/api/v1/nodes/a", {"metadata": {"name": "a", "resourceVersion": "7"}})
        with pytest.raises(ConflictError):
            await asked.delete("/api/v1/nodes/a", version="7")
    assert len(played.asked) == 4


async def test_no_more_calls_are_under_way_than_may_be() -> None:
    under_way, most = 0, 0

    async def answer(_: httpx.Request) -> httpx.Response:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.01)
        under_way -= 1
        return OK

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="https://cluster") as served:
        asked = Calls(served, Limits(at_once=3))
        await asyncio.gather(*(asked.get("/api/v1/nodes/a") for _ in range(12)))
    assert most == 3


async def slow(_: httpx.Request) -> httpx.Response:
    await asyncio.sleep(60)
    return OK


async def test_a_call_ends_at_its_deadline_in_the_middle_of_an_attempt() -> None:
    answers = [status(503, "ServiceUnavailable")]

    async def answer(request: httpx.Request) -> httpx.Response:
        return answers.pop() if answers else await slow(request)

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="https://cluster") as served:
        asked = Calls(served, Limits(deadline_s=0.3), draw=lambda: 0.0)
        async with asyncio.timeout(10):
            with pytest.raises(UnansweredError, match=r"no answer within 0\.3 s; before that, .* 503"):
                await asked.get("/api/v1/nodes/a")
        assert asked.answered == {("GET", 503): 1, ("GET", UNANSWERED): 1}


async def slow_to_end(_: httpx.Request) -> httpx.Response:
    """One that keeps its place for a while after it was given up."""
    try:
        await asyncio.sleep(60)
    finally:
        await asyncio.sleep(0.2)
    return OK


async def test_a_call_that_waits_for_its_turn_ends_at_its_deadline_and_the_next_has_its_place() -> None:
    async with httpx.AsyncClient(transport=httpx.MockTransport(slow_to_end), base_url="https://cluster") as served:
        asked = Calls(served, Limits(deadline_s=0.3, at_once=1))
        async with asyncio.timeout(10):
            both = await asyncio.gather(*(asked.get("/api/v1/nodes/a") for _ in range(2)), return_exceptions=True)
            assert [type(each) for each in both] == [UnansweredError] * 2
            assert asked.answered == {("GET", UNANSWERED): 1}
            with pytest.raises(UnansweredError):
                await asked.get("/api/v1/nodes/a")
        assert asked.answered == {("GET", UNANSWERED): 2}


async def test_a_call_that_is_cancelled_ends_as_such_and_the_next_has_its_place() -> None:
    async with httpx.AsyncClient(transport=httpx.MockTransport(slow), base_url="https://cluster") as served:
        asked = Calls(served, Limits(at_once=1))
        for _ in range(2):
            task = asyncio.create_task(asked.get("/api/v1/nodes/a"))
            await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        assert asked.answered == {("GET", UNANSWERED): 2}


async def first_line(asked: Calls, path: str, **query: str | int) -> Object:
    async with asked.lines(path, {"watch": 1, **query}, silence_s=20) as lines:
        return await anext(lines)


@pytest.mark.parametrize("act", [lambda asked: asked.get("/x"), lambda asked: first_line(asked, "/x")])
async def test_an_answer_that_is_too_large_is_not_read_to_its_end(act: Callable[[Calls], Awaitable[Object]]) -> None:
    played = Played(httpx.Response(200, content=json.dumps({"a": "b" * 5000}).encode()))
    async with calls(played, Limits(max_bytes=1000)) as asked:
        with pytest.raises(UnansweredError, match="more than 1000 bytes"):
            await act(asked)


async def test_lines_are_told_apart_wherever_they_are_cut() -> None:
    async def cut() -> AsyncIterator[bytes]:
        for each in (b'{"a":', b"1}", b'\n{"b": 2}\n{"c"', b": 3}\n"):
            yield each

    played = Played(httpx.Response(200, content=cut()))
    async with calls(played) as asked, asked.lines("/x", {}, silence_s=1) as lines:
        assert [line async for line in lines] == [{"a": 1}, {"b": 2}, {"c": 3}]


async def test_an_answer_that_is_no_object_is_no_answer() -> None:
    async with calls(Played(httpx.Response(200, text="<html>"))) as asked:
        with pytest.raises(UnansweredError, match="no object"):
            await asked.get("/x")


def test_a_context_that_there_is_not_is_told_with_the_next_step(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("{contexts: [], users: [], clusters: [], current-context: here}")
    with pytest.raises(CallError, match=r"config leads nowhere.*elsewhere.*name a context"):
        client("elsewhere", str(tmp_path / "config"))


def test_a_kubeconfig_that_there_is_not_is_told_with_where_it_was_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(CallError, match=f"there is no kubeconfig at {tmp_path / 'none'}: set KUBECONFIG to"):
        client("elsewhere", str(tmp_path / "none"))
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(CallError, match=r"there is no kubeconfig at ~/\.kube/config: set .*, or run in a pod"):
        client()


@pytest.fixture
def in_a_pod(server: ApiServer, kubeconfig: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """What a pod finds around it; the name of its account."""
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "in-a-pod", "namespace": "default"}}
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    server.create(account)
    (tmp_path / "token").write_text(server.post(f"{one(account)}/token", request).json()["status"]["token"])
    (known,) = yaml.safe_load(kubeconfig.read_text())["clusters"]
    address = httpx.URL(known["cluster"]["server"])
    monkeypatch.setattr(incluster_config, "SERVICE_TOKEN_FILENAME", str(tmp_path / "token"))
    monkeypatch.setattr(incluster_config, "SERVICE_CERT_FILENAME", known["cluster"]["certificate-authority"])
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", address.host)
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(address.port))
    monkeypatch.setenv("HOME", str(tmp_path))
    return "system:serviceaccount:default:in-a-pod"


@pytest.mark.cluster
async def test_in_a_pod_calls_are_those_of_its_service_account(in_a_pod: str) -> None:
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    async with client() as reached:
        answer = await Calls(reached).create(Resource(review["apiVersion"], "selfsubjectreviews").path(), review)
    assert answer["status"]["userInfo"]["username"] == in_a_pod


@pytest.mark.cluster
async def test_a_real_server_takes_each_kind_of_call(server: ApiServer, kubeconfig: Path) -> None:
    server.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "called"}})
    path = CONFIG_MAPS.path("a", namespace="called")
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"x": "1"}}
    async with client("tests", str(kubeconfig)) as reached:
        asked = Calls(reached)
        with pytest.raises(MissingError):
            await asked.get(path)
        tried = await asked.apply(path, manifest, "gridwright", dry_run=True)
        assert tried["data"] == {"x": "1"}
        first = await asked.apply(path, manifest, "gridwright")
        with pytest.raises(ConflictError) as conflict:
            await asked.apply(path, {**manifest, "data": {"x": "2"}}, "another")
        assert owners(conflict.value) == ('.data.x: conflict with "gridwright"',)
        second = await asked.apply(path, {**manifest, "data": {"x": "2"}}, "another", force=True)
        with pytest.raises(ConflictError):
            await asked.replace(path, {**first, "data": {}})
        with pytest.raises(ConflictError):
            await asked.create(CONFIG_MAPS.path(namespace="called"), manifest)
        with pytest.raises(ConflictError):
            await asked.delete(path, version=first["metadata"]["resourceVersion"])
        await asked.delete(path, uid=second["metadata"]["uid"])
        listed = await asked.get(CONFIG_MAPS.path(namespace="called"), limit=5)
        assert listed["items"] == []


@pytest.mark.cluster
async def test_a_real_watch_tells_what_comes_and_is_refused_of_what_there_is_not(
    server: ApiServer, kubeconfig: Path
) -> None:
    async with client("tests", str(kubeconfig)) as reached:
        asked = Calls(reached)
        listed = await asked.get(NAMESPACES.path())
        version = listed["metadata"]["resourceVersion"]
        server.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "watched"}})
        event = await first_line(asked, NAMESPACES.path(), resourceVersion=version, timeoutSeconds=60)
        assert (event["type"], event["object"]["metadata"]["name"]) == ("ADDED", "watched")
        with pytest.raises(MissingError):
            await first_line(asked, Resource("v1", "nothing").path())


async def test_a_watch_that_does_not_begin_waits_no_longer_than_any_call_does() -> None:
    async with httpx.AsyncClient(transport=httpx.MockTransport(slow), base_url="https://cluster") as served:
        asked = Calls(served, Limits(attempt_s=0.05))
        with pytest.raises(UnansweredError):
            await first_line(asked, "/x")


async def test_a_watch_that_does_not_begin_in_time_is_unanswered() -> None:
    async with calls(Played(httpx.ReadTimeout(""))) as asked:
        with pytest.raises(UnansweredError, match="ReadTimeout"):
            await first_line(asked, NODES.path())
        assert asked.answered == {("WATCH", UNANSWERED): 1}
