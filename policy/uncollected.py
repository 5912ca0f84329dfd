"""Reading without the search for circles: nothing that reading makes refers to itself, however much of it there is."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Leave Python's collector of circular garbage out while many objects are made that all stay.

    It would look through all of them again and again; of ten thousand documents that takes longer than reading them.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
