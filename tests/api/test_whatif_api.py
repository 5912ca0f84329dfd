import threading
from dataclasses import replace

import httpx
import pytest
from serving import Loop, Stage

from controller.loop.policies import InForce
from controller.planning.decide import decide
from policy.resolved import ScaleToZero
from tests.planning.world import FRANKFURT, LYON, OCR, PARIS, VAD, line


def ask(client: httpx.Client, question: dict) -> dict:
    response = client.post("/v1/whatif", json=question)
    assert response.status_code == 200, response.text
    return response.json()


def pools_of(proposal: dict, service: str) -> set[str]:
    return {
        placement["pool"]
        for routes in proposal["plan"]["fleet"]["routes"]
        if routes["service"] == service
        for way in routes["ways"]
        for placement in way["placements"]
    }


@pytest.fixture(autouse=True)
def loop(stage: Stage, settled_loop: Loop) -> Loop:
    stage.loop = replace(settled_loop)
    return stage.loop


def test_nothing_imagined_changes_nothing(client: httpx.Client) -> None:
    answer = ask(client, {})
    assert answer["changes"] == []
    assert answer["plan"]["verdict"] == "keep"


def test_ten_times_the_traffic_asks_for_more_instances(client: httpx.Client, loop: Loop) -> None:
    answer = ask(client, {"traffic": [{"factor": 10}]})
    now = sum(load.instances for load in loop.status.decision.fleet.loads)
    assert sum(load["instances"] for load in answer["plan"]["fleet"]["loads"]) > now
    assert answer["changes"]


def test_a_lost_site_serves_nothing(client: httpx.Client) -> None:
    assert FRANKFURT not in pools_of(ask(client, {"lost_sites": [FRANKFURT]}), OCR)


def test_a_lost_certification_keeps_card_data_away(client: httpx.Client) -> None:
    answer = ask(client, {"lost_certifications": [{"site": PARIS, "standard": "pci-dss"}]})
    assert PARIS not in pools_of(answer, OCR)


def test_an_assumed_rate_is_planned_for_with_headroom(client: httpx.Client) -> None:
    rate = {"service": OCR, "origin": LYON, "requests_per_second": 5}
    forecasts = ask(client, {"rates": [rate]})["plan"]["forecasts"]
    planned = [item["rate_milli_rps"] for item in forecasts if (item["service"], item["origin"]) == (OCR, LYON)]
    assert planned == [6000]


def test_what_is_asked_changes_nothing_of_what_is(client: httpx.Client) -> None:
    before = client.get("/v1/plan").json()
    ask(client, {"traffic": [{"factor": 10}]})
    assert client.get("/v1/plan").json() == before


def test_an_unknown_name_is_a_problem_that_offers_the_nearest(client: httpx.Client) -> None:
    response = client.post("/v1/whatif", json={"lost_sites": ["edge-pari"]})
    assert response.status_code == 422
    assert "edge-paris" in response.json()["reasons"][0]


@pytest.mark.parametrize(
    ("body", "status", "named"),
    [
        (b"{", 400, "body"),
        (b'{"trafic": []}', 422, "trafic"),
        (b'{"traffic": [{"factor": -1}]}', 422, "factor"),
        (b'{"traffic": [{"factor": NaN}]}', 422, "factor"),
        (b'{"traffic": [{"factor": 1e9}]}', 422, "factor"),
        (b'{"lost_sites": [""]}', 422, "lost_sites"),
        (b"", 422, "body"),
    ],
)
def test_a_question_that_cannot_be_used_names_what_is_wrong(
    client: httpx.Client, body: bytes, status: int, named: str
) -> None:
    response = client.post("/v1/whatif", content=body, headers={"content-type": "application/json"})
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert any(named in reason for reason in response.json()["reasons"])


def test_a_second_question_meanwhile_is_told_to_come_back(client: httpx.Client, loop: Loop) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(*arguments: object) -> object:
        begun.set()
        go_on.wait(30)
        return decide(*arguments)

    loop.decide = slow
    first: list[httpx.Response] = []
    with httpx.Client(base_url=client.base_url, timeout=60) as other:
        thread = threading.Thread(target=lambda: first.append(other.post("/v1/whatif", json={})))
        thread.start()
        assert begun.wait(30)
        second = client.post("/v1/whatif", json={})
        health = client.get("/healthz")
        go_on.set()
        thread.join()
    assert second.status_code == 503
    assert second.headers["retry-after"] == "5"
    assert health.status_code == 200
    assert first[0].status_code == 200


def test_a_service_that_nobody_would_ask_for_would_sleep(client: httpx.Client, loop: Loop) -> None:
    clause = ScaleToZero(600, 20_000_000, line(60))
    policy = loop.world.policy
    services = (replace(each, scale_to_zero=clause) if each.name == VAD else each for each in policy.services)
    sleepy = replace(policy, revision="sleepy", services=tuple(services))
    loop.status = replace(loop.status, in_force=InForce(sleepy))
    assert ask(client, {})["plan"]["asleep"] == []
    answer = ask(client, {"traffic": [{"service": VAD, "factor": 0}]})
    assert answer["plan"]["asleep"] == [VAD]
    assert "vad" not in {load["placement"]["model"] for load in answer["plan"]["fleet"]["loads"]}
