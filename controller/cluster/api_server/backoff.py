"""How long to wait before something is tried again: longer each time, never sooner than asked, never in step."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

FIRST_S: Final = 0.25
LONGEST_S: Final = 15.0


def pause_s(attempt: int, draw: float, asked_s: float = 0.0) -> float:
    """Seconds before attempt `attempt` + 1, the first being 1: "full jitter", on top of what the other side asks for.

    `draw` is random from [0, 1). See M. Brooker, "Exponential Backoff And Jitter" (2015).
    """
    return asked_s + draw * min(LONGEST_S, FIRST_S * 2.0 ** min(attempt - 1, 20))


def asked_s(retry_after: str | None, now: datetime) -> float:
    """The seconds that a `Retry-After` asks for, as a number or as a date (RFC 9110, 10.2.3); 0 for anything else."""
    text = (retry_after or "").strip()
    if text.isascii() and text.isdecimal():
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    return max(0.0, ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds())
