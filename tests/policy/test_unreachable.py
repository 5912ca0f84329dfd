"""Which pools are counted where an objective asks for places: those that a stage may run in, whatever says so."""

from pathlib import Path

import pytest

from policy.source import load_documents

GOOD = (Path(__file__).parent / "good.yaml").read_text()
FREE_TO_BUY = GOOD.replace("    purchase: {among: [on-demand, reserved, owned]}\n", "")
FLEET = """
---
apiVersion: gridwright.dev/v1alpha1
kind: Pool
metadata: {name: cloud-frankfurt}
spec: {site: cloud-frankfurt, device: edge-module, nodes: 2, memory: 1GiB, price: $0.20/h, purchase: spot}
---
apiVersion: gridwright.dev/v1alpha1
kind: Service
metadata: {name: letters}
spec:
  data: {classes: [letters]}
  origins: [{site: edge-paris, share: 100%}]
  stages: [{name: listen, model: silero-vad}]
  demand: {rate: 1 req/s}
  objectives:
    - latency: {percentile: 99, below: 300ms}
    - availability: {nodes: 3}
"""
OF_LETTERS = """
---
apiVersion: gridwright.dev/v1alpha1
kind: ComplianceProfile
metadata: {name: letters}
spec:
  appliesTo: {data: {classes: [letters]}}
"""


def told(text: str) -> list[str]:
    """The findings on what cannot be had."""
    loaded = load_documents([("good.yaml", FREE_TO_BUY), ("fleet.yaml", text)])
    assert loaded.policy is not None
    return [finding.message for finding in loaded.findings if finding.id == "GW0470"]


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
