import json
import socket
from dataclasses import replace

import httpx
import pytest
from serving import Loop

pytestmark = pytest.mark.usefixtures("loop")


def problem_of(response: httpx.Response, status: int) -> dict:
    """The problem in a response, which must be one in full."""
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == status
    assert problem["type"].startswith("tag:gridwright.dev,2026:problems/")
    assert problem["title"]
    return problem


def test_the_process_answers_before_the_first_turn(client: httpx.Client) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}


def test_before_the_first_turn_it_is_not_ready_and_says_why(client: httpx.Client) -> None:
    assert problem_of(client.get("/readyz"), 503)["reasons"] == ["the first turn is not done yet"]


def test_after_a_turn_it_is_ready(client: httpx.Client, loop: Loop) -> None:
    loop.turn()
    assert client.get("/readyz").json() == {"ready": True, "reasons": []}


def test_a_refused_policy_leaves_it_ready_with_a_note(client: httpx.Client, loop: Loop) -> None:
    loop.turn()
    refused = replace(loop.status.in_force, refused_since=loop.world.now)
    loop.status = replace(loop.status, in_force=refused)
    answer = client.get("/readyz").json()
    assert answer["ready"]
    assert "first" in answer["reasons"][0]


@pytest.mark.parametrize("path", ["/v1/snapshot", "/v1/plan"])
def test_before_the_first_turn_there_is_nothing_to_show(client: httpx.Client, path: str) -> None:
    assert "first turn" in problem_of(client.get(path), 503)["detail"]


def test_the_snapshot_tells_age_and_source_of_each_reading(client: httpx.Client, loop: Loop) -> None:
    loop.turn()
    snapshot = client.get("/v1/snapshot").json()
    assert {server["pool"] for server in snapshot["servers"]} == {"edge-paris", "edge-lyon", "cloud-frankfurt"}
    assert all(server["reading"]["at"] and server["reading"]["source"] for server in snapshot["servers"])


def test_a_server_that_vanished_is_null_in_the_snapshot(client: httpx.Client, loop: Loop) -> None:
    loop.world.servers["edge-lyon"] = None
    loop.turn()
    readings = {server["pool"]: server["reading"] for server in client.get("/v1/snapshot").json()["servers"]}
    assert readings["edge-lyon"]["value"] is None


def test_the_plan_is_the_decision_that_was_taken(client: httpx.Client, loop: Loop) -> None:
    loop.turn()
    plan = client.get("/v1/plan").json()
    assert plan["decision"] == loop.status.decision.id
    assert plan["verdict"] == "change"
    assert plan["cost_millicents_per_hour"] == loop.status.decision.cost_millicents_per_hour
    assert len(plan["forecasts"]) == 4


def test_past_decisions_come_newest_first_and_as_many_as_asked(client: httpx.Client, loop: Loop) -> None:
    for _ in range(3):
        loop.turn()
    answered = client.get("/v1/decisions", params={"limit": 2}).json()
    assert [item["decision"] for item in answered] == [item.decision for item in loop.history[:2]]


@pytest.mark.parametrize("limit", ["0", "101", "many"])
def test_a_limit_that_makes_no_sense_is_a_problem_that_names_it(client: httpx.Client, limit: str) -> None:
    problem = problem_of(client.get("/v1/decisions", params={"limit": limit}), 422)
    assert "limit" in problem["reasons"][0]


def test_metrics_are_given_as_prometheus_text(client: httpx.Client) -> None:
    response = client.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain")
    assert "gridwright_probe 7.0" in response.text


def test_metrics_are_given_as_openmetrics_when_asked(client: httpx.Client) -> None:
    response = client.get("/metrics", headers={"accept": "application/openmetrics-text; version=1.0.0"})
    assert response.headers["content-type"].startswith("application/openmetrics-text")
    assert response.text.endswith("# EOF\n")


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/v2", 404), ("DELETE", "/v1/plan", 405)])
def test_what_is_not_there_is_a_problem_too(client: httpx.Client, method: str, path: str, status: int) -> None:
    assert path in problem_of(client.request(method, path), status)["detail"]


def test_an_unexpected_error_is_a_problem_that_tells_no_internals(client: httpx.Client, loop: Loop) -> None:
    loop.turn()

    def broken(*_: object) -> None:
        raise ZeroDivisionError("secret")

    loop.decide = broken
    response = client.post("/v1/whatif", json={})
    problem_of(response, 500)
    assert "secret" not in response.text


def test_another_host_name_is_refused(client: httpx.Client) -> None:
    problem_of(client.get("/healthz", headers={"host": "evil.example"}), 421)
    assert client.get("/healthz", headers={"host": "localhost"}).status_code == 200


def test_a_large_body_is_refused_whether_or_not_its_length_is_told(client: httpx.Client) -> None:
    large = b" " * (64 * 1024 + 1)
    problem_of(client.post("/v1/whatif", content=large), 413)
    problem_of(client.post("/v1/whatif", content=iter([large])), 413)


def test_a_body_that_breaks_off_harms_nobody_else(client: httpx.Client) -> None:
    with socket.create_connection((client.base_url.host, client.base_url.port)) as connection:
        connection.sendall(b"POST /v1/whatif HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
    assert client.get("/healthz").status_code == 200


def test_the_openapi_document_is_whole(client: httpx.Client) -> None:
    document = client.get("/openapi.json").json()
    assert set(document["paths"]) == {
        "/healthz",
        "/readyz",
        "/metrics",
        "/v1/snapshot",
        "/v1/plan",
        "/v1/decisions",
        "/v1/explain",
        "/v1/whatif",
    }
    references = set(json.dumps(document).split('"#/components/schemas/')[1:])
    names = {reference.split('"')[0] for reference in references}
    assert names <= set(document["components"]["schemas"])
    for operations in document["paths"].values():
        for operation in operations.values():
            assert "application/problem+json" in operation["responses"]["5XX"]["content"]
            assert "422" not in operation["responses"]
    assert document["components"]["schemas"]["Question"]["examples"]


def test_without_a_policy_nothing_can_be_imagined(client: httpx.Client) -> None:
    assert problem_of(client.post("/v1/whatif", json={}), 503)["type"].endswith("/no-policy")
