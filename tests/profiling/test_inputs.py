"""What is sent to a model that is profiled."""

import json
from pathlib import Path

import numpy as np
import pytest

from controller.profiling.inputs import InputError, Tensor, made_up, read_sample

IMAGE = Tensor("image", "FP32", (3, -1))
TEXT = Tensor("text", "BYTES", (1,))


def test_inputs_are_made_from_what_the_model_declares() -> None:
    made = made_up([IMAGE, TEXT])
    assert made["image"].shape == (3, 1)
    assert made["image"].dtype == np.float32
    assert made["text"].tolist() == [b"gridwright"]


@pytest.mark.parametrize("suffix", [".json", ".npz"])
def test_a_sample_is_read_from_json_and_from_npz(tmp_path: Path, suffix: str) -> None:
    path, image, text = tmp_path / f"sample{suffix}", [[1, 2], [3, 4], [5, 6]], ["hello"]
    if suffix == ".json":
        path.write_text(json.dumps({"image": image, "text": text}))
    else:
        np.savez(path, image=np.array(image), text=np.array(text))
    read = read_sample(path, [IMAGE, TEXT])
    assert read["image"].dtype == np.float32
    assert read["image"].tolist() == image
    assert read["text"].tolist() == [b"hello"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{}", "has no image"),
        ('{"image": [1, 2]}', r"give one item, of shape \[3, -1\]"),
        ("[1]", "cannot be read as a sample"),
        ('{"image": [[1], [2, 3], [4]]}', "cannot be read as a sample"),
    ],
)
def test_a_sample_that_does_not_fit_says_what_does(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "sample.json"
    path.write_text(text)
    with pytest.raises(InputError, match=said):
        read_sample(path, [IMAGE])
