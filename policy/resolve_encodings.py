"""How a stage's input may be sent, resolved: what a share leaves of it, in bytes."""

from policy.documents.encoding import PrecisionSpec
from policy.documents.service import StageSpec
from policy.findings import Place
from policy.resolved import WHOLE_PERMILLE, Encoding, Fidelity
from policy.validate import Valid


def encodings(valid: Valid, stage: StageSpec, index: int) -> tuple[Encoding, ...]:
    """The encodings of the stage at that place of its service, in the document's order."""
    return tuple(
        _encoding(stage, at, valid.place("stages", index, "encodings", at)) for at in range(len(stage.encodings))
    )


def _encoding(stage: StageSpec, at: int, place: Place) -> Encoding:
    given = stage.encodings[at].given
    return Encoding(
        format=given.format,
        fidelity=Fidelity.LOWERED if isinstance(given, PrecisionSpec) else Fidelity.LOSSLESS,
        payload_bytes=-(-stage.input * given.size // WHOLE_PERMILLE),
        time_us=given.encode + given.decode,
        loses_ppm=given.loses if isinstance(given, PrecisionSpec) else 0,
        place=place,
    )
