"""Checking twice as many documents is twice the work, counted in lines of code that run."""

import sys
from types import FrameType
from typing import Any

from check_documents import documents, files

from policy.source import load_documents


def lines_run(number: int) -> int:
    """Lines that reading and checking so many documents runs, turns of comprehensions included."""
    texts = list(files(documents(number), 50).items())
    count = 0

    def note(_frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal count
        count += event == "line"
        return note

    before = sys.gettrace()
    sys.settrace(note)
    try:
        loaded = load_documents(texts)
    finally:
        sys.settrace(before)
    assert loaded.findings == ()
    return count


def test_the_work_doubles_with_the_documents() -> None:
    few, some, many = (lines_run(number) for number in (150, 300, 600))
    assert some / few < 2.2
    assert many / some < 2.1
