"""Samples of chosen families from a Prometheus text exposition."""

from collections.abc import Iterator
from typing import Final

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from collectors.fetch import SourceError, Trouble

# The parser takes about 26 us a line, and time that grows with the square of a line's length.
MAX_LINES: Final = 10_000
MAX_LINE_CHARACTERS: Final = 4096


def samples(body: bytes, source: str, prefix: str, sign: str) -> Iterator[Sample]:
    """The samples whose names begin with `prefix`, under the names that the source writes. Only their lines are parsed.

    `sign` is what any answer of such a source contains, even one without such samples.

    Raises:
        SourceError: GARBLED for what is not such text or lacks `sign`, LARGE for too many lines or too long ones.
    """
    try:
        text = body.decode("utf-8")
        lines = [line for line in text.split("\n") if line.startswith(prefix)]
        _refuse_unlikely(text, lines, source, sign)
        for family in text_string_to_metric_families("\n".join(lines)):
            yield from family.samples
    except ValueError as error:
        hint = "check that the address is that of the metrics port"
        raise SourceError(Trouble.GARBLED, f"{source} is not the expected metrics text: {error}", hint) from error


def _refuse_unlikely(text: str, lines: list[str], source: str, sign: str) -> None:
    if sign not in text:
        raise ValueError(f"it never speaks of {sign}*")
    if len(lines) > MAX_LINES or any(len(line) > MAX_LINE_CHARACTERS for line in lines):
        message = f"{source} has over {MAX_LINES} lines to read, or one of over {MAX_LINE_CHARACTERS} characters"
        raise SourceError(Trouble.LARGE, message, "expose fewer series there")
