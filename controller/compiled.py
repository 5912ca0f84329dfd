"""Compiling the inner loops of simulations; the machine code is kept beside the sources, or in the user's cache."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

_njit: Any = njit
"""Its stubs know nothing of the option not to count references."""

Loop = TypeVar("Loop", bound=Callable[..., Any])


def compiled(function: Loop) -> Loop:
    """The function as machine code, which other threads may run beside; it takes numbers and arrays, by position.

    Where no folder can be written to (`NUMBA_CACHE_DIR` names another one), every process compiles anew.
    """
    try:
        return cast("Loop", njit(cache=True, nogil=True)(function))
    except RuntimeError:
        return cast("Loop", njit(nogil=True)(function))


def allocation_free(function: Loop) -> Loop:
    """As `compiled`, for loops that make no arrays and so need not count references to them.

    Counting takes most of the time of small functions that look at many arrays.
    """
    try:
        return cast("Loop", _njit(cache=True, nogil=True, _nrt=False)(function))
    except RuntimeError:
        return cast("Loop", _njit(nogil=True, _nrt=False)(function))


def inlined(function: Loop) -> Loop:
    """The function as a part of the loops that call it: for the innermost ones, which give back several values."""
    return cast("Loop", njit(nogil=True, inline="always")(function))
