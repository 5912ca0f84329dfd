"""Work without Python's search for circular garbage: what reading and deciding make never refers back to itself.

The search starts again whenever there are a quarter more objects than before, and looks at all of them: that takes
longer than reading ten thousand documents, and a sixth of a turn on 1,000 nodes, and frees next to nothing. What is in
no circle is freed as ever.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Look for no circles inside; who is the first to ask for it in a process puts that back."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
