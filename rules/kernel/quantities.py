"""Integers with their unit as people read them: exact, so that one unit over a limit never looks like the limit."""

from datetime import UTC, datetime
from decimal import Decimal


def milliseconds(value_us: int) -> str:
    """Microseconds as `412.5 ms`."""
    return f"{Decimal(value_us) / 1000:f} ms"


def percent(permille: int) -> str:
    """Permille as `12.5 %`."""
    return f"{Decimal(permille) / 10:f} %"


def percent_of_ppm(ppm: int) -> str:
    """Parts per million as `98.25 %`."""
    return f"{Decimal(ppm) / 10_000:f} %"


def percentile(basis_points: int) -> str:
    """A percentile in basis points as `p99.9`."""
    return f"p{Decimal(basis_points) / 100:f}"


def calls_per_second(micro_rps: int) -> str:
    """Calls a second, in millionths, as `3.5 calls/s`."""
    return f"{Decimal(micro_rps) / 1_000_000:f} calls/s"


def instant(unix_s: int) -> str:
    """A Unix time as `2026-01-31T12:00:00Z`."""
    return datetime.fromtimestamp(unix_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
