"""Instants as integers, where a datetime for each of many observations would cost more than what is done with it."""

from datetime import UTC, datetime, timedelta
from typing import Final

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def since_epoch_us(at: datetime) -> int:
    """An instant in us since the epoch."""
    return (at - EPOCH) // timedelta(microseconds=1)


def instant(at_us: int) -> datetime:
    """The instant that lies so many us after the epoch."""
    return EPOCH + timedelta(microseconds=at_us)
