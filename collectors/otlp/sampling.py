"""How many spans of the population a sampled span stands for: its adjusted count, the inverse of its probability.

A sampler that keeps one span in N says so in the span's `tracestate`, as the rejection threshold T of OpenTelemetry's
consistent probability sampling ("TraceState: Probability Sampling"): `ot=th:<T>`, 1 to 14 hexadecimal digits of which
those on the right are left out when they are zeros. The probability is (2^56 - T) / 2^56.
"""

import string
from functools import lru_cache
from typing import Final

DIGITS: Final = 14
RANGE: Final = 16**DIGITS  # 2^56
HEX: Final = frozenset(string.hexdigits.lower())
MAX_CHARACTERS: Final = 512  # what W3C Trace Context asks to be propagated at least
MOST: Final = 1_000_000.0  # a span that says it stands for more is taken at this


@lru_cache(maxsize=1024)
def adjusted_count(trace_state: str) -> float | None:
    """At least 1, at most `MOST`; None when the state does not tell, or tells it wrongly."""
    if len(trace_state) > MAX_CHARACTERS:
        return None
    for member in trace_state.split(","):
        vendor, _, value = member.strip().partition("=")
        if vendor == "ot":
            return _of_threshold(value)
    return None


def _of_threshold(value: str) -> float | None:
    for item in value.split(";"):
        key, _, digits = item.partition(":")
        if key == "th" and 0 < len(digits) <= DIGITS and HEX.issuperset(digits):
            return min(RANGE / (RANGE - int(digits.ljust(DIGITS, "0"), 16)), MOST)
    return None
