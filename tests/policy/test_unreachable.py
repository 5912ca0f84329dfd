"""Which pools are counted where an objective asks for places: those that a stage may run in, whatever says so."""

import pytest
from letters import GOOD, LETTERS, OF_LETTERS, messages

from policy.source import load_documents

FREE_TO_BUY = GOOD.replace("    purchase: {among: [on-demand, reserved, owned]}\n", "")
FLEET = LETTERS.replace("$0.20/h", "$0.20/h, purchase: spot") + "    - availability: {nodes: 3}\n"


def told(text: str) -> list[str]:
    """The findings on what cannot be had."""
    return messages("GW0470", text, FREE_TO_BUY)


def test_all_three_nodes_are_as_many_as_are_asked_for() -> None:
    assert told(FLEET) == []


@pytest.mark.parametrize(
    "clause",
    [
        "  purchase: {among: [on-demand, owned]}\n",
        "  jurisdiction: {within: [FR]}\n",
        "  locality: {at: origin}\n",
    ],
)
def test_pools_that_a_profile_bars_do_not_count(clause: str) -> None:
    assert told(FLEET + OF_LETTERS + clause) == [
        "where stage `listen` of `letters` may run there is 1 node in all, and 3 are asked for"
    ]


def test_pools_that_are_dedicated_to_others_do_not_count() -> None:
    dedicated = FLEET.replace("purchase: spot", "dedicatedTo: {services: [call-vad]}")
    assert told(dedicated) == ["where stage `listen` of `letters` may run there is 1 node in all, and 3 are asked for"]


def test_nodes_on_which_no_instance_fits_do_not_count() -> None:
    assert told(FLEET.replace("memory: 1GiB", "memory: 128MiB")) == []
    assert told(FLEET.replace("memory: 1GiB", "memory: 127MiB")) == [
        "where stage `listen` of `letters` may run there is 1 node in all, and 3 are asked for"
    ]


def test_a_variant_below_the_floor_counts_once_the_degrade_order_names_it() -> None:
    floor = FLEET + "    - accuracy: {floor: 97%}\n"
    assert told(floor + "  degrade: [{use: {silero-vad: fp32}}]\n") == []
    halves = FLEET.replace("nodes: 2, memory: 1GiB", "nodes: 2, memory: 127MiB") + (
        "\n---\napiVersion: gridwright.dev/v1alpha1\nkind: DeviceProfile\nmetadata: {name: small}\nspec:\n  variants:\n"
        "    - {model: silero-vad, variant: fp16, serviceTime: [{batch: 1, time: 6ms}], share: 10%, load: 2s}\n"
    ).replace("\n---", "---", 1)
    on_small = halves.replace("site: cloud-frankfurt, device: edge-module", "site: cloud-frankfurt, device: small")
    assert told(on_small) == []
    kept = on_small.replace(
        "    - availability: {nodes: 3}\n", "    - availability: {nodes: 3}\n  degrade: [{shed: 5%}]\n"
    )
    assert told(kept) == []
    strict = kept.replace("    - availability", "    - accuracy: {floor: 95%}\n    - availability")
    assert told(strict) == ["where stage `listen` of `letters` may run there is 1 node in all, and 3 are asked for"]


def test_nothing_is_told_of_a_service_without_requests() -> None:
    asked = FLEET.replace("{nodes: 3}", "{nodes: 4}")
    assert len(told(asked)) == 1
    assert told(asked.replace("rate: 1 req/s", "rate: 0 req/s")) == []


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("nodes: 2, spares: 1", []),
        ("nodes: 3", ["GW0470"]),
        ("sites: 3", ["GW0470", "GW0470"]),  # there are two sites, besides
        ("spares: 2", ["GW0471"]),
    ],
)
def test_no_more_places_and_spares_are_had_than_a_bound_leaves_instances(asked: str, expected: list[str]) -> None:
    bound = (
        "---\napiVersion: gridwright.dev/v1alpha1\nkind: ScalingPolicy\nmetadata: {name: pace}\n"
        "spec:\n  bounds: [{model: silero-vad, max: 2}]\n"
    )
    service = FLEET.replace("nodes: 3", asked)
    found = [
        load_documents([("good.yaml", FREE_TO_BUY), ("fleet.yaml", text)]).findings
        for text in (service + bound, service)
    ]
    bounded, unbounded = ([each.id for each in some if each.id in ("GW0470", "GW0471")] for some in found)
    assert bounded == expected
    assert len(unbounded) == max(0, len(expected) - 1)
