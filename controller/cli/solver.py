"""Importing what decides, which takes most of the time of a short command."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from controller.cli.terminal import working


@contextmanager
def loading_solver() -> Iterator[None]:
    """Let what decides be imported without pandas, which takes longer to import than the rest of a plan.

    CP-SAT's Python front names pandas' types in signatures and tests for them, and nobody here passes any. A pandas
    that was imported before stays, and one imported later is the real one.
    """
    with working("Loading the solver"):
        if "pandas" in sys.modules:
            yield
            return
        stand_in = ModuleType("pandas")
        stand_in.Index = stand_in.Series = type("Absent", (), {})  # type: ignore[attr-defined]  # a module made by hand
        sys.modules["pandas"] = stand_in
        try:
            yield
        finally:
            del sys.modules["pandas"]
