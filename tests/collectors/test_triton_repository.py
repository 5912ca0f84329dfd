import json
from datetime import datetime
from pathlib import Path

import httpx
import loopback
import pytest
from loopback import Source

from collectors.fetch import Limits
from collectors.snapshot import LoadedModel, ModelState, QueueLevel, ServerState, Snapshot
from collectors.triton_names import model_and_variant, triton_name
from collectors.triton_repository import MAX_MODELS, RepositoryTarget, TritonRepository

INDEX = "/v2/repository/index"


def config(name: str) -> str:
    return f"/v2/models/{name}/config"


async def collect(client: httpx.AsyncClient, source: Source, now: datetime, **answers: object) -> Snapshot:
    source.answers = {path: loopback.body(json.dumps(answer).encode()) for path, answer in answers.items()}
    source.answers[""] = loopback.body(b'{"error":"not found"}', 404)
    return await TritonRepository(client, [RepositoryTarget("edge", source.url)], Limits()).collect(now)


async def test_the_capture_of_a_real_triton_is_read(
    client: httpx.AsyncClient, source: Source, start: datetime, data: Path
) -> None:
    source.answers = {
        INDEX: loopback.body((data / "triton_index.json").read_bytes()),
        config("toy--fp32"): loopback.body((data / "triton_config.json").read_bytes()),
    }
    snapshot = await TritonRepository(client, [RepositoryTarget("edge", source.url)]).collect(start)
    reading = snapshot.server("edge")
    ready = LoadedModel("toy", "fp32", ModelState.READY, instances=1, max_batch=4, queue_delay_us=500)
    never_loaded = LoadedModel("toy", "half", ModelState.UNAVAILABLE, instances=0, max_batch=0, queue_delay_us=0)
    assert reading.value == ServerState((ready, never_loaded))
    assert (reading.at, reading.source) == (start, source.url)
    assert [finding.id for finding in snapshot.findings] == ["GW0511"]
    assert "stray" in snapshot.findings[0].message


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (["READY"], ModelState.READY),
        (["LOADING"], ModelState.LOADING),
        (["UNLOADING"], ModelState.LOADING),
        (["UNAVAILABLE"], ModelState.UNAVAILABLE),
        (["UNAVAILABLE", "READY", "LOADING"], ModelState.READY),
        (["UNAVAILABLE", "LOADING"], ModelState.LOADING),
    ],
)
async def test_the_best_state_of_any_version_counts(
    told: list[str], expected: ModelState, client: httpx.AsyncClient, source: Source, start: datetime
) -> None:
    index = [{"name": "det--fp32", "version": str(number), "state": state} for number, state in enumerate(told)]
    snapshot = await collect(client, source, start, **{INDEX: index, config("det--fp32"): {"max_batch_size": 1}})
    state = snapshot.server("edge").value
    assert state is not None
    assert [model.state for model in state.models] == [expected]


async def test_a_server_that_is_read_in_part_is_missing(
    client: httpx.AsyncClient, source: Source, start: datetime
) -> None:
    index = [{"name": "det--fp32", "state": "READY"}, {"name": "cls--fp32", "state": "READY"}]
    snapshot = await collect(client, source, start, **{INDEX: index, config("det--fp32"): {}})
    assert snapshot.server("edge").value is None
    assert [finding.id for finding in snapshot.findings] == ["GW0504"]


async def test_a_server_that_answers_the_index_alone_is_not_waited_for(
    client: httpx.AsyncClient, source: Source, start: datetime
) -> None:
    index = json.dumps([{"name": "det--fp32", "state": "READY"}]).encode()
    source.answers = {INDEX: loopback.body(index), "": loopback.silence}
    snapshot = await TritonRepository(client, [RepositoryTarget("edge", source.url)]).collect(start)
    assert snapshot.server("edge").value is None
    assert [finding.id for finding in snapshot.findings] == ["GW0502"]


async def test_a_repository_of_too_many_models_is_refused(
    client: httpx.AsyncClient, source: Source, start: datetime
) -> None:
    index = [{"name": f"m{number}--fp32"} for number in range(MAX_MODELS + 1)]
    snapshot = await collect(client, source, start, **{INDEX: index})
    assert [finding.id for finding in snapshot.findings] == ["GW0503"]
    whole = await collect(client, source, start, **{INDEX: index[1:]})
    assert whole.findings == ()


async def test_an_empty_repository_is_a_reading(client: httpx.AsyncClient, source: Source, start: datetime) -> None:
    snapshot = await collect(client, source, start, **{INDEX: []})
    assert snapshot.server("edge").value == ServerState(())


def test_names_read_back_as_they_were_made() -> None:
    assert model_and_variant(triton_name("ppocr-det", "fp32")) == ("ppocr-det", "fp32")


@pytest.mark.parametrize("name", ["", "det", "--fp32", "det--", "a--b--c", "a---b", "--"])
def test_other_names_stand_for_no_variant(name: str) -> None:
    assert model_and_variant(name) is None


@pytest.mark.parametrize(
    ("told", "named"),
    [
        ({"sequence_batching": {"oldest": {}}}, "sequence_batching"),
        ({"ensemble_scheduling": {"step": []}}, "ensemble_scheduling"),
        ({"dynamic_batching": {"priority_levels": 65}}, "priority_levels"),
        ({"dynamic_batching": {"preserve_ordering": True}}, "preserve_ordering"),
    ],
)
async def test_batching_that_predictions_do_not_know_is_named(
    client: httpx.AsyncClient, source: Source, start: datetime, told: dict[str, object], named: str
) -> None:
    answers = {INDEX: [{"name": "toy--fp32", "state": "READY"}], config("toy--fp32"): told}
    snapshot = await collect(client, source, start, **answers)
    assert snapshot.server("edge").value is not None
    (finding,) = snapshot.findings
    assert finding.id == "GW0513"
    assert f"toy--fp32: {named}" in finding.message


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"dynamic_batching": {}},
        {"dynamic_batching": {"priority_levels": 1, "max_queue_delay_microseconds": 100}},
        {"dynamic_batching": {"priority_levels": 2, "default_priority_level": 1}},
        {"dynamic_batching": {"default_queue_policy": {"timeout_action": "DELAY", "default_timeout_microseconds": 9}}},
        {"instance_group": [{"rate_limiter": {"priority": 2, "resources": [{"name": "R", "count": 1}]}}]},
    ],
)
async def test_ordinary_batching_is_not_remarked_on(
    client: httpx.AsyncClient, source: Source, start: datetime, told: dict[str, object]
) -> None:
    answers = {INDEX: [{"name": "toy--fp32", "state": "READY"}], config("toy--fp32"): told}
    assert (await collect(client, source, start, **answers)).findings == ()


async def test_how_requests_wait_and_execute_is_read(
    client: httpx.AsyncClient, source: Source, start: datetime
) -> None:
    """Triton writes numbers of 64 bits as text where it does not know better. All of R is for one."""
    batching = {
        "priority_levels": "2",
        "default_priority_level": "2",
        "default_queue_policy": {"max_queue_size": 9},
        "priority_queue_policy": {"1": {"timeout_action": "DELAY", "default_timeout_microseconds": "700"}},
    }
    group = {"count": 3, "rate_limiter": {"resources": [{"name": "R", "global": True, "count": 2}]}}
    told = {"max_batch_size": 4, "dynamic_batching": batching, "instance_group": [group]}
    answers = {INDEX: [{"name": "toy--fp32", "state": "READY"}], config("toy--fp32"): told}
    snapshot = await collect(client, source, start, **answers)
    levels = (QueueLevel(700, puts_off=True), QueueLevel(limit=9))
    toy = LoadedModel("toy", "fp32", ModelState.READY, 3, 4, 0, levels, level=2, at_once=1)
    assert snapshot.server("edge").value == ServerState((toy,))
    assert snapshot.findings == ()


async def test_models_that_want_the_same_of_the_rate_limiter_are_named(
    client: httpx.AsyncClient, source: Source, start: datetime
) -> None:
    """The first has as much of R as the other holds, which is enough for three of its instances."""
    answers: dict[str, object] = {INDEX: [{"name": f"{name}--fp32", "state": "READY"} for name in ("a", "b", "c")]}
    for name, instances, count, priority in (("a", 4, 1, 1), ("b", 1, 3, 2)):
        limiter = {"priority": priority, "resources": [{"name": "R", "count": count}]}
        answers[config(f"{name}--fp32")] = {"instance_group": [{"count": instances, "rate_limiter": limiter}]}
    answers[config("c--fp32")] = {"instance_group": [{"count": 2}]}
    snapshot = await collect(client, source, start, **answers)
    state = snapshot.server("edge").value
    assert state is not None
    assert [model.at_once for model in state.models] == [3, 0, 0]
    (finding,) = snapshot.findings
    both = "rate_limiter.resources, rate_limiter.priority"
    assert f"a--fp32: {both}; b--fp32: {both}" in finding.message
    assert "c--fp32" not in finding.message
