"""Quantities as people write them, read into whole numbers of one unit.

Each function takes the text of one value and returns an int in the unit that the function's name ends in. The reading
is exact: a value that is no whole number of that unit is refused, as is one that is negative or beyond any use.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Final

from policy.words import shown


class UnitError(ValueError):
    """The text is no such quantity. The message says what was expected, with an example."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """How a quantity is written: `units` maps each suffix to how many of `unit` (the inner one) it stands for."""

    noun: str
    example: str
    unit: str
    units: Mapping[str, Fraction]
    most: int
    most_text: str
    prefix: str = ""


WHOLE_DIGITS: Final = 15
DECIMAL_DIGITS: Final = 9
_NUMBER: Final = re.compile(rf"([0-9]{{1,{WHOLE_DIGITS}}}(?:\.[0-9]{{1,{DECIMAL_DIGITS}}})?)[ ]?(.*)", re.ASCII)
_SECOND_US: Final = 1_000_000
_DAY_S: Final = 86_400
_DOLLAR_MILLICENTS: Final = 100_000


def _scaled(**units: int) -> dict[str, Fraction]:
    return {suffix: Fraction(value) for suffix, value in units.items()}


DURATION: Final = Quantity(
    "a duration",
    "250ms",
    "microseconds",
    _scaled(us=1, ms=1_000, s=_SECOND_US, m=60 * _SECOND_US, h=3_600 * _SECOND_US, d=_DAY_S * _SECOND_US),
    366 * _DAY_S * _SECOND_US,
    "366d",
)
SECONDS: Final = Quantity(
    "a duration in whole seconds",
    "30s",
    "seconds",
    {**_scaled(s=1, m=60, h=3_600, d=_DAY_S), "us": Fraction(1, _SECOND_US), "ms": Fraction(1, 1_000)},
    366 * _DAY_S,
    "366d",
)
MEMORY: Final = Quantity(
    "an amount of memory",
    "24GiB",
    "MiB",
    {**_scaled(MiB=1, GiB=1024, TiB=1024 * 1024), "KiB": Fraction(1, 1024)},
    64 * 1024 * 1024,
    "64TiB",
)
PAYLOAD: Final = Quantity(
    "a payload size", "180KiB", "bytes", _scaled(B=1, KiB=1024, MiB=1024**2, GiB=1024**3), 1024**3, "1GiB"
)
PRICE: Final = Quantity(
    "a price an hour",
    "$0.40/h",
    "thousandths of a cent an hour",
    {"/h": Fraction(_DOLLAR_MILLICENTS)},
    10_000 * _DOLLAR_MILLICENTS,
    "$10000/h",
    prefix="$",
)
TRAFFIC_PRICE: Final = Quantity(
    "a price of traffic",
    "$0.09/GiB",
    "thousandths of a cent a GiB",
    {"/GiB": Fraction(_DOLLAR_MILLICENTS)},
    10_000 * _DOLLAR_MILLICENTS,
    "$10000/GiB",
    prefix="$",
)
MONEY: Final = Quantity(
    "an amount of money",
    "$0.001",
    "thousandths of a cent",
    {"": Fraction(_DOLLAR_MILLICENTS)},
    1_000_000 * _DOLLAR_MILLICENTS,
    "$1000000",
    prefix="$",
)
SHARE: Final = Quantity("a share", "60%", "tenths of a percent", _scaled(**{"%": 10}), 1_000, "100%")
HEADROOM: Final = Quantity("headroom", "20%", "tenths of a percent", _scaled(**{"%": 10}), 10_000, "1000%")
FACTOR: Final = Quantity("a factor", "300%", "tenths of a percent", _scaled(**{"%": 10}), 100_000, "10000%")
RATIO: Final = Quantity(
    "a ratio", "99.9% or 0.97", "parts per million", _scaled(**{"%": 10_000, "": 1_000_000}), 1_000_000, "100%"
)
RATE: Final = Quantity(
    "a rate of requests",
    "40 req/s",
    "thousandths of a request a second",
    {"req/s": Fraction(1_000), "req/min": Fraction(1_000, 60), "req/h": Fraction(1_000, 3_600)},
    1_000_000_000,
    "1000000 req/s",
)
BANDWIDTH: Final = Quantity(
    "a bandwidth",
    "50Mbit/s",
    "kbit/s",
    {"kbit/s": Fraction(1), "Mbit/s": Fraction(1_000), "Gbit/s": Fraction(1_000_000)},
    10_000_000_000,
    "10000Gbit/s",
)
PERCENTILE: Final = Quantity("a percentile", "99 or 99.9", "hundredths", _scaled(**{"": 100}), 9_999, "99.99")


def duration_us(text: str) -> int:
    """`250ms`, `5m` or `24h` in microseconds; units us, ms, s, m, h, d. Raises UnitError."""
    return _whole(text, DURATION)


def duration_s(text: str) -> int:
    """`30s` or `5m` in whole seconds; units ms, s, m, h, d. Raises UnitError."""
    return _whole(text, SECONDS)


def memory_mib(text: str) -> int:
    """`24GiB` in MiB; units KiB, MiB, GiB, TiB. Raises UnitError."""
    return _whole(text, MEMORY)


def payload_bytes(text: str) -> int:
    """`180KiB` in bytes; units B, KiB, MiB, GiB. Raises UnitError."""
    return _whole(text, PAYLOAD)


def price_millicents_per_hour(text: str) -> int:
    """`$0.40/h` in thousandths of a cent an hour: $1 is 100 000. Raises UnitError."""
    return _whole(text, PRICE)


def price_millicents_per_gib(text: str) -> int:
    """`$0.09/GiB` in thousandths of a cent a GiB: $1 is 100 000. Raises UnitError."""
    return _whole(text, TRAFFIC_PRICE)


def money_millicents(text: str) -> int:
    """`$0.001` in thousandths of a cent: $1 is 100 000. Raises UnitError."""
    return _whole(text, MONEY)


def remaining_permille(text: str) -> int:
    """`60%` as 600; above 0% and up to 100%. Raises UnitError."""
    value = _whole(text, SHARE)
    if value == 0:
        raise UnitError("nothing is left of an input at 0%: expected more, such as 60%")
    return value


def share_permille(text: str) -> int:
    """`60%` as 600; from 0% to 100%. Raises UnitError."""
    return _whole(text, SHARE)


def headroom_permille(text: str) -> int:
    """`20%` as 200; from 0% to 1000%. Raises UnitError."""
    return _whole(text, HEADROOM)


def factor_permille(text: str) -> int:
    """`300%` as 3000; from 0% to 10000%. Raises UnitError."""
    return _whole(text, FACTOR)


def ratio_ppm(text: str) -> int:
    """`99.9%` or `0.999` as 999 000 parts per million; from 0 to 1. Raises UnitError."""
    return _whole(text, RATIO)


def rate_milli_rps(text: str) -> int:
    """`40 req/s` as 40 000; units req/s, req/min, req/h. Raises UnitError."""
    return _whole(text, RATE)


def bandwidth_kbps(text: str) -> int:
    """`50Mbit/s` as 50 000; units kbit/s, Mbit/s, Gbit/s. Raises UnitError."""
    return _whole(text, BANDWIDTH)


def percentile_bp(text: str) -> int:
    """`99.9` as 9990 basis points; above 0 and below 100. Raises UnitError."""
    value = _whole(text, PERCENTILE)
    if value == 0:
        raise UnitError("the percentile 0 says nothing: expected one above 0 and below 100, such as 99")
    return value


_VERSION: Final = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9}){0,5}", re.ASCII)


def version_numbers(text: str) -> tuple[int, ...]:
    """`4.0.1` as (4, 0, 1). Raises UnitError."""
    if not _VERSION.fullmatch(text):
        raise UnitError(f"{shown(text)} is not a version: expected numbers with dots between, such as 4.0")
    return tuple(int(part) for part in text.split("."))


_COMPARED: Final = re.compile(r"(>=|>|<=|<|=) *(.*)", re.ASCII)


def version_range(text: str) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """`>=4.0, <5` as ((">=", (4, 0)), ("<", (5,))). Raises UnitError."""
    found = []
    for part in text.split(","):
        compared = _COMPARED.fullmatch(part.strip(" "))
        if compared is None:
            raise UnitError(
                f'{shown(text)} is not a range of versions: expected >=, >, <=, < or = and a version, such as ">=4.0", '
                'or more of them with commas between, such as ">=4.0, <5"'
            )
        found.append((compared[1], version_numbers(compared[2])))
    return tuple(found)


_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)", re.ASCII)


def instant_utc(text: str) -> datetime:
    """`2030-01-31T12:00:00Z` (RFC 3339, with an offset) as a UTC datetime. Raises UnitError."""
    if _INSTANT.fullmatch(text):
        try:
            return datetime.fromisoformat(text).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    raise UnitError(f"{shown(text)} is not an instant: expected date, time and offset, such as 2030-01-31T12:00:00Z")


def _whole(text: str, quantity: Quantity) -> int:
    """The quantity as an int of its inner unit. Raises UnitError."""
    match = _NUMBER.fullmatch(text.removeprefix(quantity.prefix)) if text.startswith(quantity.prefix) else None
    if match is None or match[2] not in quantity.units:
        raise UnitError(f"{shown(text)} is not {quantity.noun}: expected {expected(quantity)}")
    exact = Fraction(Decimal(match[1])) * quantity.units[match[2]]
    if exact > quantity.most:
        raise UnitError(f"{shown(text)} is too much for {quantity.noun}: expected at most {quantity.most_text}")
    if exact.denominator != 1:
        raise UnitError(
            f"{shown(text)} does not come out as whole {quantity.unit}: expected {quantity.noun} that does, "
            f"such as {quantity.example}"
        )
    return int(exact)


def expected(quantity: Quantity) -> str:
    """How the quantity is written, such as `a number with one of us, ms, s; for example 250ms`."""
    suffixes = [suffix for suffix in quantity.units if suffix]
    number = f"{quantity.prefix} and a number" if quantity.prefix else "a number that is not negative"
    if suffixes:
        alone = "alone or " if "" in quantity.units else ""
        number = f"{number}, {alone}with {' or '.join(suffixes)}"
    return f"{number}, such as {quantity.example}"
