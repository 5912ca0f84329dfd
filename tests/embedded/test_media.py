"""Pictures, crops and speech as clients send them."""

from itertools import pairwise

import numpy as np
import pytest

from controller.embedded.media import AUDIO_CONTEXT, AUDIO_HOP, crop, pictures, speech
from controller.embedded.models.catalogue import AUDIO_SAMPLES, IMAGE_SHAPE


def test_pictures_have_the_networks_shape_and_repeat_with_the_seed() -> None:
    first, again, other = pictures(3), pictures(3), pictures(4)
    assert {item.pixels.shape for item in first} == {IMAGE_SHAPE}
    assert [item.lines for item in first] == [item.lines for item in again]
    assert [item.lines for item in first] != [item.lines for item in other]
    assert all(np.array_equal(one.pixels, two.pixels) for one, two in zip(first, again, strict=True))


def test_a_narrow_part_is_scaled_to_the_height_and_padded_with_black() -> None:
    pixels = np.full(IMAGE_SHAPE, 200, dtype=np.uint8)
    part = crop(pixels, (0, 0, 24, 48), (48, 192, 3))
    assert part.shape == (48, 192, 3)
    assert (part[:, :96] == 200).all()
    assert not part[:, 96:].any()


@pytest.mark.parametrize(("turned", "kept"), [(False, 10), (True, 90)])
def test_a_wide_part_is_cut_at_its_end_also_when_it_lay_on_its_head(turned: bool, kept: int) -> None:  # noqa: FBT001
    pixels = np.zeros((10, 100, 3), dtype=np.uint8)
    pixels[:, :50], pixels[:, 50:] = 10, 90
    part = crop(pixels, (0, 0, 10, 100), (48, 192, 3), turned=turned)
    assert (part == kept).all()


def test_speech_comes_in_chunks_that_carry_the_end_of_the_one_before() -> None:
    chunks = speech()
    assert {len(chunk) for chunk in chunks} == {AUDIO_SAMPLES}
    assert not chunks[0][:AUDIO_CONTEXT].any()
    assert all(np.array_equal(two[:AUDIO_CONTEXT], one[AUDIO_HOP:]) for one, two in pairwise(chunks))
