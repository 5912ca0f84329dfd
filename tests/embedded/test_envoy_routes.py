"""Route configurations as data: what is asked for is what Envoy is told."""

from dataclasses import replace

import pytest

from controller.embedded.envoy_bootstrap import bootstrap
from controller.embedded.envoy_routes import RouteEntry, StageRoute, route_configuration

NORTH = RouteEntry("north", "ppocr-det--fp32", 700)
SOUTH = RouteEntry("south", "ppocr-det--fp16", 300)


def routes(*stages: StageRoute) -> list[dict[str, object]]:
    found: list[dict[str, object]] = route_configuration("paris", stages, {})["virtual_hosts"][0]["routes"]
    return found


def test_an_origin_gets_its_own_stages_and_an_answer_for_all_else() -> None:
    mine, theirs = StageRoute("paris", "ocr", "detect", (NORTH,)), StageRoute("lyon", "ocr", "detect", (SOUTH,))
    assert [item["match"] for item in routes(mine, theirs)] == [
        {"prefix": "/ocr/detect/v2/models/"},
        {"prefix": "/"},
    ]


def test_the_order_of_stages_does_not_matter_and_the_order_of_entries_stays() -> None:
    one, two = StageRoute("paris", "ocr", "detect", (SOUTH, NORTH)), StageRoute("paris", "ocr", "read", (NORTH,))
    assert routes(one, two) == routes(two, one)
    weighted = routes(one)[0]["route"]
    assert isinstance(weighted, dict)
    assert [(item["name"], item["weight"]) for item in weighted["weighted_clusters"]["clusters"]] == [
        ("south/ppocr-det--fp16", 300),
        ("north/ppocr-det--fp32", 700),
    ]


def test_only_pairs_with_a_delay_wait() -> None:
    stage = StageRoute("paris", "ocr", "detect", (NORTH, SOUTH))
    delays = {("paris", "south"): 12_500, ("lyon", "north"): 9_000}
    clusters = route_configuration("paris", [stage], delays)["virtual_hosts"][0]["routes"][0]["route"][
        "weighted_clusters"
    ]["clusters"]
    waits = [
        item.get("typed_per_filter_config", {}).get("envoy.filters.http.fault", {}).get("delay", {}).get("fixed_delay")
        for item in clusters
    ]
    assert waits == [None, "0.012500s"]


def test_a_single_entry_is_never_tried_elsewhere() -> None:
    action = routes(StageRoute("paris", "ocr", "detect", (NORTH, NORTH)))[0]["route"]
    assert isinstance(action, dict)
    assert "retry_policy" not in action


@pytest.mark.parametrize(
    ("one", "other", "tried"), [(True, True, True), (False, False, True), (True, False, False), (False, True, False)]
)
def test_entries_stand_in_for_each_other_where_all_are_packed_or_none_is(
    *, one: bool, other: bool, tried: bool
) -> None:
    entries = replace(NORTH, compressed=one), replace(SOUTH, compressed=other)
    action = routes(StageRoute("paris", "ocr", "detect", entries))[0]["route"]
    assert isinstance(action, dict)
    assert ("retry_policy" in action) == tried


def test_what_waits_is_tried_for_as_long_as_it_may_wait() -> None:
    again, first, _ = routes(StageRoute("paris", "ocr", "detect", (), hold_s=30))
    assert again["match"] == {
        "prefix": "/ocr/detect/v2/models/",
        "headers": [{"name": "x-gridwright-held", "present_match": True}],
    }
    assert "typed_per_filter_config" not in again  # it has been counted
    assert "typed_per_filter_config" in first
    held = first["route"]
    assert isinstance(held, dict)
    assert (held["cluster"], held["timeout"], held["idle_timeout"]) == ("held/paris", "40s", "40s")
    back_off = held["retry_policy"]["retry_back_off"]
    assert back_off["max_interval"] == "0.5s"
    assert held["retry_policy"]["num_retries"] * 0.5 / 2 > 30  # tries are half a back-off apart on average


def test_everything_listens_on_loopback_alone() -> None:
    text = str(bootstrap(9901, {"paris": 9902}, {"paris": "routes"}, []))
    assert text.count("'address': '127.0.0.1'") == 3  # the admin's, a listener, and what leads back to it
    assert "0.0.0.0" not in text  # noqa: S104 -- looked for, not bound
