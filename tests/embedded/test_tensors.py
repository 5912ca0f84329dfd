"""The protocol's request and answer forms; that Triton takes them is tested on a real one."""

import json

import numpy as np
import pytest

from controller.embedded.tensors import HEADER_LENGTH, decode, encode


def test_a_request_is_a_header_of_known_length_and_the_bytes_of_its_tensors() -> None:
    image = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    state = np.array([1.5], dtype=np.float32)
    body, headers = encode({"image": image, "state": state}, ["boxes"])
    size = int(headers[HEADER_LENGTH])
    described = json.loads(body[:size])
    assert described["inputs"][0] == {
        "name": "image",
        "shape": [1, 2, 2, 3],
        "datatype": "UINT8",
        "parameters": {"binary_data_size": 12},
    }
    assert body[size:] == image.tobytes() + state.tobytes()


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"null", b"{}", b'{"outputs": 3}', b'{"outputs": [{"name": "a"}]}']
)
def test_what_is_no_answer_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"not an inference answer|Expecting"):
        decode(body)
