from dataclasses import replace

import httpx
import pytest
from serving import Loop, Stage

from tests.planning.world import OCR, VAD


@pytest.fixture(autouse=True)
def loop(stage: Stage, settled_loop: Loop) -> Loop:
    stage.loop = replace(settled_loop)
    return stage.loop


def test_every_placement_of_a_service_has_its_runner_up(client: httpx.Client, loop: Loop) -> None:
    response = client.get("/v1/explain", params={"service": VAD})
    assert response.status_code == 200, response.text
    found = response.json()
    routed = {
        str(placement)
        for routes in loop.status.decision.fleet.routes
        if routes.service == VAD
        for way in routes.ways
        for placement in way.placements
    }
    named = [item["placement"] for item in found["runners_up"]]
    assert {f"{p['model']}/{p['variant']}@{p['pool']}" for p in named} == routed
    assert all(item["instead"] != item["placement"] for item in found["runners_up"])
    assert (found["sacrifices"], found["conflicts"]) == ([], [])


def test_a_service_that_is_not_known_is_a_problem_that_offers_the_nearest(client: httpx.Client) -> None:
    response = client.get("/v1/explain", params={"service": "receipt-orc"})
    assert response.status_code == 422
    assert OCR in response.json()["detail"]


def test_before_the_first_decision_there_is_nothing_to_explain(client: httpx.Client, stage: Stage) -> None:
    stage.loop = Loop()
    assert client.get("/v1/explain").status_code == 503
