"""Regions of a mask, against a plain flood fill; and boxes from them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from controller.embedded.models.served.text_boxes import Box, regions, text_boxes


def flooded(mask: NDArray[np.bool_]) -> list[Box]:
    left = {(int(row), int(column)) for row, column in np.argwhere(mask)}
    boxes = []
    while left:
        region, edge = set(), [left.pop()]
        while edge:
            row, column = edge.pop()
            region.add((row, column))
            near = {(row + 1, column), (row - 1, column), (row, column + 1), (row, column - 1)} & left
            left -= near
            edge += near
        rows, columns = [row for row, _ in region], [column for _, column in region]
        boxes.append((min(rows), min(columns), max(rows) + 1, max(columns) + 1))
    return boxes


@given(arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=9), elements=st.booleans()))
def test_regions_are_those_of_a_flood_fill(mask: NDArray[np.bool_]) -> None:
    assert sorted(regions(mask)) == sorted(flooded(mask))


def test_a_box_is_widened_by_the_networks_ratio_and_kept_inside_the_image() -> None:
    probability = np.zeros((40, 100), dtype=np.float32)
    probability[10:20, 0:80] = 0.9
    # Area 800, perimeter 180: 800 * 1.6 / 180 rounds to 7.
    assert text_boxes(probability)[0].tolist() == [3, 0, 27, 87]


def test_specks_and_faint_areas_are_no_text() -> None:
    probability = np.zeros((40, 100), dtype=np.float32)
    probability[5:7, 5:60] = 0.9
    probability[20:30, 5:60] = 0.3
    assert not text_boxes(probability).any()


def test_the_eight_largest_boxes_come_from_top_to_bottom() -> None:
    probability = np.zeros((192, 320), dtype=np.float32)
    for row in range(10):
        probability[row * 18 : row * 18 + 4, 10 : 20 + 10 * row] = 0.9
    boxes = text_boxes(probability)
    assert boxes.shape == (8, 4)
    assert boxes[:, 0].tolist() == sorted(boxes[:, 0].tolist())
    assert boxes[0, 0] > 18
