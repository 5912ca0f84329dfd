"""The networks as callables: arrays by tensor name in, arrays by tensor name out, the batch always in front.

Runs beside `model.py` inside Triton's Python backend. Pre- and post-processing follow the networks' own publishers
(RapidOCR's PP-OCR pipeline, Silero's ONNX wrapper) as far as fixed input sizes need it.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime  # type: ignore[import-not-found]  # lives in Triton's environment alone
from numpy.typing import NDArray
from text_boxes import text_boxes  # type: ignore[import-not-found]  # lies beside this file in the repository

Arrays = dict[str, NDArray[np.generic]]
Network = Callable[[Arrays], Arrays]

AUDIO_CONTEXT = 64
AUDIO_FRAME = 512
SAMPLE_RATE_HZ = 16000


def open_network(kind: str, file: Path) -> Network:
    """Load a network of one of the four kinds."""
    kinds: dict[str, Callable[[onnxruntime.InferenceSession], Network]] = {
        "detect": Detect,
        "orient": Orient,
        "read": Read,
        "speech": Speech,
    }
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return kinds[kind](onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"]))


def normalised(images: NDArray[np.generic]) -> NDArray[np.float32]:
    """Bytes [b, h, w, 3] to floats [b, 3, h, w] in -1..1."""
    scaled = images.astype(np.float32) * np.float32(2 / 255) - np.float32(1)
    return np.ascontiguousarray(scaled.transpose(0, 3, 1, 2))


class Detect:
    """`image` to `boxes`: where text stands, as `text_boxes` gives it."""

    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        self._session = session

    def __call__(self, arrays: Arrays) -> Arrays:
        """Find text in every image."""
        (probabilities,) = self._session.run(None, {"x": normalised(arrays["image"])})
        return {"boxes": np.stack([text_boxes(item[0]) for item in probabilities])}


class Orient:
    """`crop` to `turned`: the probability that the crop stands on its head."""

    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        self._session = session

    def __call__(self, arrays: Arrays) -> Arrays:
        """Judge every crop."""
        (probabilities,) = self._session.run(None, {"x": normalised(arrays["crop"])})
        return {"turned": probabilities[:, 1:2].astype(np.float32)}


class Read:
    """`crop` to `text` and `confidence`, by the best path through the network's characters (CTC)."""

    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        self._session = session
        listed = session.get_modelmeta().custom_metadata_map["character"].splitlines()
        self._characters = ["", *listed, " "]

    def __call__(self, arrays: Arrays) -> Arrays:
        """Read every crop."""
        (probabilities,) = self._session.run(None, {"x": normalised(arrays["crop"])})
        best = probabilities.argmax(axis=2)
        rows = [self._decoded(path, steps.max(axis=1)) for path, steps in zip(best, probabilities, strict=True)]
        return {
            "text": np.array([[text.encode()] for text, _ in rows], dtype=np.object_),
            "confidence": np.array([[confidence] for _, confidence in rows], dtype=np.float32),
        }

    def _decoded(self, path: NDArray[np.int64], certainty: NDArray[np.float32]) -> tuple[str, float]:
        kept = path != 0
        kept[1:] &= path[1:] != path[:-1]
        text = "".join(self._characters[index] for index in path[kept])
        return text, float(certainty[kept].mean()) if kept.any() else 0.0


class Speech:
    """`audio` and `state` to `speech`, the probability of speech by frame of 32 ms, and the next chunk's `state`.

    The audio starts with 64 samples of context: the end of the chunk before, or silence.
    """

    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        self._session = session

    def __call__(self, arrays: Arrays) -> Arrays:
        """Run the frames of all chunks in step, as the state goes from frame to frame."""
        audio = arrays["audio"].astype(np.float32) / np.float32(32768)
        state = np.ascontiguousarray(arrays["state"].astype(np.float32).transpose(1, 0, 2))
        rate = np.array(SAMPLE_RATE_HZ, dtype=np.int64)
        frames = []
        for start in range(0, audio.shape[1] - AUDIO_CONTEXT - AUDIO_FRAME + 1, AUDIO_FRAME):
            window = np.ascontiguousarray(audio[:, start : start + AUDIO_CONTEXT + AUDIO_FRAME])
            speech, state = self._session.run(None, {"input": window, "state": state, "sr": rate})
            frames.append(speech[:, 0])
        return {"speech": np.stack(frames, axis=1), "state": np.ascontiguousarray(state.transpose(1, 0, 2))}
