"""Requests that wait at a real Envoy for a service to wake up, with a real server behind it."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from controller.embedded.envoy_routes import SERVED_BY_HEADER, RouteEntry, StageRoute
from tests.embedded.parts import Sites, counter, crops, load, request, unload

pytestmark = [pytest.mark.triton, pytest.mark.envoy]
NAME = "ppocr-cls--fp32"
NORTH = RouteEntry("north", NAME, 1)


@pytest.fixture(autouse=True)
def loaded(sites: Sites) -> Iterator[None]:
    load(sites.north, NAME)
    yield
    unload(sites.north, NAME)


def stage(service: str, *entries: RouteEntry, hold_s: int) -> StageRoute:
    return StageRoute("paris", service, "s", entries, hold_s=hold_s)


def call(sites: Sites, service: str) -> httpx.Response:
    body, headers = request(NAME, crops())
    url = f"{sites.gateway.origin_url('paris')}/{service}/s/v2/models/ppocr-cls/infer"
    return httpx.post(url, content=body, headers=headers, timeout=40)


def arrived(sites: Sites, service: str) -> float:
    labels = {"envoy_local_http_ratelimit_prefix": f"paris/{service}/s"}
    return counter(sites.gateway, "envoy_http_local_rate_limit_enabled", **labels)


def test_a_request_waits_for_the_first_entry_and_counts_once(sites: Sites) -> None:
    sites.gateway.set_routes([stage("sleeping", hold_s=30)], {})
    with ThreadPoolExecutor() as callers:
        waiting = [callers.submit(call, sites, "sleeping") for _ in range(3)]
        time.sleep(2)
        assert not any(each.done() for each in waiting)
        assert arrived(sites, "sleeping") == 3
        sites.gateway.set_routes([stage("sleeping", NORTH, hold_s=30)], {})
        woken = time.monotonic()
        answers = [each.result() for each in waiting]
        assert time.monotonic() - woken < 10
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert {answer.headers[SERVED_BY_HEADER] for answer in answers} == {f"north/{NAME}"}
    assert arrived(sites, "sleeping") == 3


def test_one_that_comes_later_is_served_as_any_other(sites: Sites) -> None:
    sites.gateway.set_routes([stage("awake", NORTH, hold_s=30)], {})
    answer = call(sites, "awake")
    assert (answer.status_code, answer.headers[SERVED_BY_HEADER]) == (200, f"north/{NAME}")
    assert arrived(sites, "awake") == 1


def test_one_that_has_waited_long_enough_is_told_when_to_come_again(sites: Sites) -> None:
    sites.gateway.set_routes([stage("dead", hold_s=2)], {})
    begun = time.monotonic()
    answer = call(sites, "dead")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert time.monotonic() - begun > 1
    assert arrived(sites, "dead") == 1
