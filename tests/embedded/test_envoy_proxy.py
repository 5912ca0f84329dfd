"""The data path on a real Envoy with real servers behind it."""

import random
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from controller.embedded.envoy_routes import DRAW_HEADER, SERVED_BY_HEADER, RouteEntry, StageRoute
from controller.embedded.errors import RequestRefusedError
from tests.embedded.parts import Sites, counter, crops, load, request, statistics, unload

pytestmark = [pytest.mark.triton, pytest.mark.envoy]
FULL, HALF = "ppocr-cls--fp32", "ppocr-cls--fp16"
FAMILY = "envoy_http_local_rate_limit_enabled"


@pytest.fixture(scope="module", autouse=True)
def loaded(sites: Sites) -> Iterator[None]:
    for server in (sites.north, sites.south):
        for name in (FULL, HALF):
            load(server, name)
    yield
    for server in (sites.north, sites.south):
        for name in (FULL, HALF):
            unload(server, name)


def stage(service: str, name: str, *entries: tuple[str, str, int], refused: int = 0) -> StageRoute:
    return StageRoute("paris", service, name, tuple(RouteEntry(*item) for item in entries), refused)


def call(sites: Sites, path: str, draw: int = 0, origin: str = "paris") -> httpx.Response:
    body, headers = request(FULL, crops())
    url = f"{sites.gateway.origin_url(origin)}/{path}/v2/models/ppocr-cls/infer"
    return httpx.post(url, content=body, headers=headers | {DRAW_HEADER: str(draw)}, timeout=20)


def arrived(sites: Sites, path: str) -> float:
    return counter(sites.gateway, FAMILY, envoy_local_http_ratelimit_prefix=f"paris/{path}")


def executed(sites: Sites, name: str) -> int:
    return sum(int(statistics(server, name)["inference_count"]) for server in (sites.north, sites.south))


def test_an_entry_decides_the_site_and_the_variant(sites: Sites) -> None:
    sites.gateway.set_routes([stage("one", "s", ("north", FULL, 1), ("south", HALF, 1))], {})
    before = executed(sites, HALF)
    answers = [call(sites, "one/s", draw) for draw in (0, 1)]
    assert [answer.headers[SERVED_BY_HEADER] for answer in answers] == [f"north/{FULL}", f"south/{HALF}"]
    assert [answer.json()["model_name"] for answer in answers] == [FULL, HALF]
    assert executed(sites, HALF) == before + 1


def test_all_stages_of_a_run_take_the_same_place_in_their_lists(sites: Sites) -> None:
    lists = [("north", FULL, 500), ("south", FULL, 200), ("south", HALF, 300)]
    other = [("south", HALF, 500), ("north", HALF, 200), ("north", FULL, 300)]
    sites.gateway.set_routes([stage("two", "a", *lists), stage("two", "b", *other)], {})
    numbers, taken = random.Random(5), set()  # noqa: S311 -- draws, not secrets
    for _ in range(60):
        draw = numbers.getrandbits(63)
        first, second = (call(sites, f"two/{name}", draw).headers[SERVED_BY_HEADER] for name in "ab")
        places = [
            [f"{site}/{name}" for site, name, _ in entries].index(served)
            for entries, served in ((lists, first), (other, second))
        ]
        assert places[0] == places[1]
        taken.add(places[0])
    assert taken == {0, 1, 2}


def test_weights_set_the_shares(sites: Sites) -> None:
    sites.gateway.set_routes([stage("three", "s", ("north", FULL, 700), ("south", FULL, 300))], {})
    served = [call(sites, "three/s", draw).headers[SERVED_BY_HEADER] for draw in range(0, 1000, 20)]
    assert served.count(f"north/{FULL}") == 35
    sites.gateway.set_routes([stage("three", "s", ("north", FULL, 100), ("south", FULL, 900))], {})
    served = [call(sites, "three/s", draw).headers[SERVED_BY_HEADER] for draw in range(0, 1000, 20)]
    assert served.count(f"north/{FULL}") == 5


def test_what_nobody_knows_and_what_nobody_serves_are_told_apart_and_arrivals_count_anyway(sites: Sites) -> None:
    sites.gateway.set_routes([stage("four", "empty"), stage("four", "shed", ("north", FULL, 600), refused=400)], {})
    unknown, empty = call(sites, "four/none"), call(sites, "four/empty")
    assert (unknown.status_code, "unknown service or stage" in unknown.text) == (404, True)
    assert (empty.status_code, "no route: four/empty" in empty.text) == (503, True)
    statuses = [call(sites, "four/shed", draw).status_code for draw in (0, 599, 600, 999)]
    assert statuses == [200, 200, 429, 429]
    assert (arrived(sites, "four/empty"), arrived(sites, "four/shed")) == (1, 4)
    by_class = {"envoy_virtual_host": "paris", "envoy_route": "four/shed", "envoy_response_code_class": "2"}
    assert counter(sites.gateway, "envoy_vhost_route_upstream_rq_xx", **by_class) == 2


def test_the_delay_between_origin_and_site_is_waited_out(sites: Sites) -> None:
    sites.gateway.set_routes([stage("five", "s", ("north", FULL, 1), ("south", FULL, 1))], {("paris", "south"): 2000})
    labels = {"envoy_http_conn_manager_prefix": "paris"}
    before = counter(sites.gateway, "envoy_http_fault_delays_injected", **labels)
    for draw in (0, 1, 1):
        assert call(sites, "five/s", draw).status_code == 200
    assert counter(sites.gateway, "envoy_http_fault_delays_injected", **labels) == before + 2


def test_origins_have_routes_of_their_own(sites: Sites) -> None:
    sites.gateway.set_routes([stage("six", "s", ("north", FULL, 1))], {})
    assert call(sites, "six/s").status_code == 200
    assert call(sites, "six/s", origin="lyon").status_code == 404


def test_routes_that_envoy_refuses_change_nothing(sites: Sites) -> None:
    sites.gateway.set_routes([stage("seven", "s", ("north", FULL, 1))], {})
    with pytest.raises(RequestRefusedError, match="keeps the old ones"):
        sites.gateway.set_routes([stage("seven", "s", ("north", FULL, 0))], {})
    assert call(sites, "seven/s").status_code == 200


def test_a_site_that_lacks_the_variant_or_is_dead_is_left_at_once_for_the_rest_of_the_list(sites: Sites) -> None:
    both, alone = [("north", FULL, 1), ("south", HALF, 1)], [("south", HALF, 1)]
    sites.gateway.set_routes([stage("eight", "both", *both), stage("eight", "alone", *alone)], {})
    unload(sites.south, HALF)
    assert served(sites, "eight/both") == {(200, f"north/{FULL}")}
    sites.south.kill()
    assert served(sites, "eight/both") == {(200, f"north/{FULL}")}
    assert {call(sites, "eight/alone", draw).status_code for draw in range(4)} == {503}
    sites.south.start()
    for name in (FULL, HALF):
        load(sites.south, name)
    assert served(sites, "eight/both") == {(200, f"north/{FULL}"), (200, f"south/{HALF}")}


def served(sites: Sites, path: str) -> set[tuple[int, Any]]:
    answers = [call(sites, path, draw) for draw in range(6)]
    return {(answer.status_code, answer.headers.get(SERVED_BY_HEADER)) for answer in answers}
