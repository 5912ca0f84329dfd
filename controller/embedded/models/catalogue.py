"""Which real networks there are, where their wheels keep them, and which tensors they take and give."""

from dataclasses import dataclass

IMAGE_SHAPE = (192, 320, 3)
ORIENT_SHAPE = (48, 192, 3)
READ_SHAPE = (48, 240, 3)
AUDIO_SAMPLES = 64 + 16 * 512
"""Context and 512 ms at 16 kHz."""


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One tensor without its batch dimension, in Triton's words."""

    name: str
    data_type: str
    dims: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class NetworkSpec:
    """A model: its kind of pre- and post-processing, its file inside Triton's environment, its tensors."""

    model: str
    kind: str
    source: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]


NETWORKS = (
    NetworkSpec(
        model="ppocr-det",
        kind="detect",
        source="rapidocr_onnxruntime/models/ch_PP-OCRv4_det_infer.onnx",
        inputs=(TensorSpec("image", "UINT8", IMAGE_SHAPE),),
        outputs=(TensorSpec("boxes", "INT32", (8, 4)),),
    ),
    NetworkSpec(
        model="ppocr-cls",
        kind="orient",
        source="rapidocr_onnxruntime/models/ch_ppocr_mobile_v2.0_cls_infer.onnx",
        inputs=(TensorSpec("crop", "UINT8", ORIENT_SHAPE),),
        outputs=(TensorSpec("turned", "FP32", (1,)),),
    ),
    NetworkSpec(
        model="ppocr-rec",
        kind="read",
        source="rapidocr_onnxruntime/models/ch_PP-OCRv4_rec_infer.onnx",
        inputs=(TensorSpec("crop", "UINT8", READ_SHAPE),),
        outputs=(TensorSpec("text", "STRING", (1,)), TensorSpec("confidence", "FP32", (1,))),
    ),
    NetworkSpec(
        model="silero-vad",
        kind="speech",
        source="silero_vad/data/silero_vad_16k_op15.onnx",
        inputs=(TensorSpec("audio", "INT16", (AUDIO_SAMPLES,)), TensorSpec("state", "FP32", (2, 128))),
        outputs=(TensorSpec("speech", "FP32", (16,)), TensorSpec("state", "FP32", (2, 128))),
    ),
)

PRECISIONS = ("fp32", "fp16")
"""The variants of every network: as published, and with its weights stored in half precision."""


def network(model: str) -> NetworkSpec:
    """The network of a model. Raises KeyError for a model that the fleet does not have."""
    return {item.model: item for item in NETWORKS}[model]
