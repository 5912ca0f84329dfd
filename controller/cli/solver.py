"""Importing what decides, which takes most of the time of a short command."""

import atexit
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from types import ModuleType

from controller.cli.terminal import working


@contextmanager
def loading_solver() -> Iterator[None]:
    """Let what decides be imported, and have it know the latencies that were simulated before."""
    with working("Loading the solver"):
        with _without_pandas():
            yield
        _know_surfaces()


@contextmanager
def _without_pandas() -> Iterator[None]:
    """No pandas, which takes longer to import than the rest of a plan.

    CP-SAT's Python front names pandas' types in signatures and tests for them, and nobody here passes any. A pandas
    that was imported before stays, and one imported later is the real one.
    """
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


@cache
def _know_surfaces() -> None:
    """Once in a process: what it simulates is kept when it ends."""
    from controller.performance.surface_store import cache_folder, kept_surfaces

    stack = ExitStack()
    stack.enter_context(kept_surfaces(cache_folder(os.environ)))
    atexit.register(stack.close)
