"""Quantities: what each text means in the inner unit, and what is refused."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy import units


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (units.duration_us, "1us", 1),
        (units.duration_us, "250ms", 250_000),
        (units.duration_us, "1.5 s", 1_500_000),
        (units.duration_us, "5m", 300_000_000),
        (units.duration_us, "24h", 86_400_000_000),
        (units.duration_us, "366d", 366 * 86_400_000_000),
        (units.duration_s, "5000ms", 5),
        (units.duration_s, "30d", 2_592_000),
        (units.memory_mib, "24GiB", 24_576),
        (units.memory_mib, "0.5GiB", 512),
        (units.memory_mib, "2048KiB", 2),
        (units.memory_mib, "64TiB", 64 * 1024 * 1024),
        (units.payload_bytes, "500B", 500),
        (units.payload_bytes, "180KiB", 184_320),
        (units.price_millicents_per_hour, "$0.40/h", 40_000),
        (units.price_millicents_per_hour, "$0/h", 0),
        (units.price_millicents_per_gib, "$0.09/GiB", 9_000),
        (units.money_millicents, "$0.001", 100),
        (units.money_millicents, "$0.00001", 1),
        (units.share_permille, "60%", 600),
        (units.share_permille, "0.1%", 1),
        (units.share_permille, "100%", 1000),
        (units.headroom_permille, "1000%", 10_000),
        (units.ratio_ppm, "99.9%", 999_000),
        (units.ratio_ppm, "0.97", 970_000),
        (units.ratio_ppm, "1", 1_000_000),
        (units.rate_milli_rps, "40 req/s", 40_000),
        (units.rate_milli_rps, "3 req/min", 50),
        (units.rate_milli_rps, "36 req/h", 10),
        (units.bandwidth_kbps, "50Mbit/s", 50_000),
        (units.bandwidth_kbps, "1Gbit/s", 1_000_000),
        (units.percentile_bp, "99", 9900),
        (units.percentile_bp, "99.99", 9999),
        (units.version_numbers, "4.0.1", (4, 0, 1)),
        (units.version_range, ">= 4.0", ((">=", (4, 0)),)),
        (units.version_range, ">3.2.1 , <= 5", ((">", (3, 2, 1)), ("<=", (5,)))),
        (units.version_range, "=4", (("=", (4,)),)),
        (units.instant_utc, "2030-01-31T14:00:00+02:00", datetime(2030, 1, 31, 12, tzinfo=UTC)),
    ],
)
def test_a_quantity_is_read_exactly(read: Callable[[str], object], text: str, value: object) -> None:
    assert read(text) == value


@pytest.mark.parametrize(
    ("read", "text", "told"),
    [
        (units.duration_us, "250", "with us or ms or s or m or h or d, such as 250ms"),
        (units.duration_us, "-1ms", "a number that is not negative"),
        (units.duration_us, "0.5us", "does not come out as whole microseconds"),
        (units.duration_us, "367d", "expected at most 366d"),
        (units.duration_us, "1e3ms", "is not a duration"),
        (units.duration_us, "٣ms", "is not a duration"),
        (units.duration_us, "250ms\n", "is not a duration"),
        (units.duration_s, "1500ms", "whole seconds"),
        (units.memory_mib, "8GB", "such as 24GiB"),
        (units.memory_mib, "1KiB", "whole MiB"),
        (units.price_millicents_per_hour, "0.40/h", "expected $ and a number"),
        (units.price_millicents_per_hour, "$0.40", "such as $0.40/h"),
        (units.price_millicents_per_gib, "$0.09/GB", "such as $0.09/GiB"),
        (units.share_permille, "100.1%", "expected at most 100%"),
        (units.share_permille, "60", "such as 60%"),
        (units.ratio_ppm, "97", "expected at most 100%"),
        (units.ratio_ppm, "nan", "is not a ratio"),
        (units.rate_milli_rps, "40/s", "such as 40 req/s"),
        (units.rate_milli_rps, "1 req/min", "does not come out"),
        (units.bandwidth_kbps, "1Gb", "such as 50Mbit/s"),
        (units.percentile_bp, "0", "expected one above 0"),
        (units.percentile_bp, "100", "expected at most 99.99"),
        (units.version_numbers, "4.x", "expected numbers with dots"),
        (units.version_range, "4.0", 'such as ">=4.0"'),
        (units.version_range, ">=4.0,", 'such as ">=4.0, <5"'),
        (units.version_range, "~4.0", "a range of versions"),
        (units.version_range, ">=four", "not a version"),
        (units.instant_utc, "2030-02-30T12:00:00Z", "is not an instant"),
        (units.instant_utc, "2030-01-31T12:00:00", "date, time and offset"),
    ],
)
def test_what_is_no_such_quantity_is_refused_with_what_was_expected(
    read: Callable[[str], object], text: str, told: str
) -> None:
    with pytest.raises(units.UnitError) as caught:
        read(text)
    assert told in str(caught.value)


READERS = (
    units.duration_us,
    units.duration_s,
    units.memory_mib,
    units.payload_bytes,
    units.price_millicents_per_hour,
    units.price_millicents_per_gib,
    units.money_millicents,
    units.share_permille,
    units.headroom_permille,
    units.ratio_ppm,
    units.rate_milli_rps,
    units.bandwidth_kbps,
    units.percentile_bp,
)


@given(st.sampled_from(READERS), st.text(max_size=40))
def test_any_text_is_a_whole_number_or_refused(read: Callable[[str], int], text: str) -> None:
    try:
        value = read(text)
    except units.UnitError:
        return
    assert value >= 0


@given(st.integers(0, 366 * 86_400 * 1000))
def test_a_duration_is_the_same_in_every_unit_that_can_say_it(value_ms: int) -> None:
    assert units.duration_us(f"{value_ms}ms") == units.duration_us(f"{value_ms * 1000}us") == value_ms * 1000
