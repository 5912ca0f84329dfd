"""Work without Python's search for cycles: what a decision makes refers to nothing that refers back to it.

The search starts again whenever there are a quarter more objects than before, and looks at all of them: on 1,000 nodes
that took a sixth of a turn, and freed next to nothing. What is in no cycle is freed as ever.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Look for no cycles inside; who is the first to ask for it in a process puts that back."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
