"""Text boxes from a map of text probability, without an image library."""

import numpy as np
from numpy.typing import NDArray

TEXT_PROBABILITY = 0.3
MIN_SIDE_PX = 3
MAX_BOXES = 8
UNCLIP_RATIO = 1.6
"""The network is trained to shrink text; this widens it again (Liao et al., Real-time Scene Text Detection with DB)."""

Box = tuple[int, int, int, int]
"""top, left, bottom, right; the last two are the first outside."""


def text_boxes(probability: NDArray[np.float32]) -> NDArray[np.int32]:
    """The largest boxes of text of a map [h, w], top to bottom, as [8, 4]; rows of 0 are none."""
    boxes = np.zeros((MAX_BOXES, 4), dtype=np.int32)
    found = [box for box in regions(probability > TEXT_PROBABILITY) if min(_sides(box)) >= MIN_SIDE_PX]
    largest = sorted(found, key=lambda box: -_sides(box)[0] * _sides(box)[1])[:MAX_BOXES]
    for row, box in enumerate(sorted(largest)):
        boxes[row] = _widened(box, *probability.shape)
    return boxes


def regions(mask: NDArray[np.bool_]) -> list[Box]:
    """Boxes around the 4-connected regions of a mask: runs of each row, joined with the runs above that they touch."""
    runs: list[tuple[int, int, int]] = []
    parents: list[int] = []
    above: list[int] = []
    for row, line in enumerate(mask.astype(np.int8)):
        edges = np.flatnonzero(np.diff(line, prepend=0, append=0)).tolist()
        current = []
        for left, right in zip(edges[::2], edges[1::2], strict=True):
            new = len(runs)
            runs.append((row, left, right))
            parents.append(new)
            current.append(new)
            for other in above:
                if runs[other][1] < right and left < runs[other][2]:
                    parents[_root(parents, other)] = _root(parents, new)
        above = current
    return _boxes(runs, parents)


def _boxes(runs: list[tuple[int, int, int]], parents: list[int]) -> list[Box]:
    boxes: dict[int, Box] = {}
    for index, (row, left, right) in enumerate(runs):
        top, west, bottom, east = boxes.get(_root(parents, index), (row, left, row, right))
        boxes[_root(parents, index)] = min(top, row), min(west, left), max(bottom, row + 1), max(east, right)
    return list(boxes.values())


def _root(parents: list[int], index: int) -> int:
    while parents[index] != index:
        index = parents[index]
    return index


def _sides(box: Box) -> tuple[int, int]:
    return box[2] - box[0], box[3] - box[1]


def _widened(box: Box, height: int, width: int) -> Box:
    top, left, bottom, right = box
    tall, wide = _sides(box)
    grow = round(tall * wide * UNCLIP_RATIO / (2 * (tall + wide)))
    return max(0, top - grow), max(0, left - grow), min(height, bottom + grow), min(width, right + grow)
