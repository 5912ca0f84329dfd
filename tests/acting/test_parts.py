"""Requests parted over nodes: whole, by instances, and the same draw on the same way in every stage."""

import bisect
import itertools
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from controller.acting.envoy_stages import configuration, parted, route_sets, services_of, stage_routes
from controller.embedded.envoy_routes import StageRoute
from controller.fleet import Parts, RouteSet, Way
from tests.acting.world import ORIENT, ORIENT_LYON, READ, READ_LYON, world

BOTH = (
    Parts(ORIENT, (("a", 1), ("b", 2))),
    Parts(READ, (("a", 1), ("b", 1), ("c", 1))),
)
SPLIT = RouteSet("crops", "edge-paris", (Way(300, (READ, ORIENT)), Way(600, (READ_LYON, ORIENT_LYON))), BOTH)


def taken(stage: StageRoute, draw: int) -> str:
    """The cluster that a draw means, as Envoy finds it; empty where it is refused."""
    ends = list(itertools.accumulate(entry.weight for entry in stage.entries))
    at = bisect.bisect_right(ends, draw % (ends[-1] + stage.refused_weight))
    return stage.entries[at].cluster if at < len(ends) else ""


@given(st.integers(0, 1_000_000), st.lists(st.integers(1, 500), min_size=1, max_size=40))
def test_parts_sum_to_the_whole_and_none_is_off_by_one(whole: int, weights: list[int]) -> None:
    parts = parted(whole, weights)
    assert sum(parts) == whole
    assert all(
        abs(part * sum(weights) - whole * weight) < sum(weights) for part, weight in zip(parts, weights, strict=True)
    )


def test_a_way_is_parted_over_the_nodes_of_each_of_its_placements() -> None:
    read, orient = stage_routes((SPLIT,), services_of(world()))
    assert [(entry.cluster, entry.weight) for entry in orient.entries] == [
        ("edge-paris-cpu/a/ppocr-cls--fp32", 100_000),
        ("edge-paris-cpu/b/ppocr-cls--fp32", 200_000),
        ("edge-lyon-cpu/ppocr-cls--fp32", 600_000),
    ]
    assert [entry.weight for entry in read.entries] == [100_000, 100_000, 100_000, 600_000]
    assert (read.refused_weight, orient.refused_weight) == (100_000, 100_000)


@given(st.integers(0, 2**63 - 1))
def test_a_draw_means_the_same_way_in_every_stage(draw: int) -> None:
    pools = {taken(stage, draw).partition("/")[0] for stage in stage_routes((SPLIT,), services_of(world()))}
    assert len(pools) == 1


def test_routes_without_parts_are_as_they_were() -> None:
    read, _ = stage_routes((replace(SPLIT, parts=()),), services_of(world()))
    assert [(entry.cluster, entry.weight) for entry in read.entries] == [
        ("edge-paris-cpu/ppocr-rec--fp32", 300),
        ("edge-lyon-cpu/ppocr-rec--fp32", 600),
    ]


def test_parts_are_read_back_from_what_a_gateway_follows() -> None:
    assert route_sets(configuration("edge-paris", (SPLIT,), services_of(world()), {})) == (SPLIT,)
