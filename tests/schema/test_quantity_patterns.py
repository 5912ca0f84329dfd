"""The pattern of a quantity and its reader take the same texts."""

import re
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy import units
from policy.documents.base import Name
from policy.documents.written import Written, quantity
from policy.patterns import ZERO

READERS: dict[str, tuple[Callable[[str], object], units.Quantity]] = {
    "duration": (units.duration_us, units.DURATION),
    "seconds": (units.duration_s, units.SECONDS),
    "memory": (units.memory_mib, units.MEMORY),
    "payload": (units.payload_bytes, units.PAYLOAD),
    "price": (units.price_millicents_per_hour, units.PRICE),
    "traffic price": (units.price_millicents_per_gib, units.TRAFFIC_PRICE),
    "money": (units.money_millicents, units.MONEY),
    "share": (units.share_permille, units.SHARE),
    "headroom": (units.headroom_permille, units.HEADROOM),
    "factor": (units.factor_permille, units.FACTOR),
    "ratio": (units.ratio_ppm, units.RATIO),
    "rate": (units.rate_milli_rps, units.RATE),
    "bandwidth": (units.bandwidth_kbps, units.BANDWIDTH),
}
PATTERNS = {name: re.compile(quantity(read).keywords["pattern"]) for name, (_, read) in READERS.items()}
COARSE = ("m", "h", "d", "KiB", "MiB", "GiB", "TiB", "req/min", "req/h")
"""Units that are no power of ten of the inner one: their patterns do not count decimals."""


def refusal(read: Callable[[str], object], text: str) -> str:
    """What the reader says against a text; nothing when it takes it."""
    try:
        read(text)
    except units.UnitError as error:
        return str(error)
    return ""


@st.composite
def quantities(draw: st.DrawFn, read: units.Quantity) -> str:
    """Texts about as they are written, many of them next to the largest value of their unit."""
    suffix = draw(st.sampled_from([*read.units]))
    most = int(read.most / read.units[suffix])
    near = st.integers(max(0, most - 2), most + 2)
    whole = draw(st.one_of(near, st.integers(0, 2 * most), st.integers(0, 3), st.integers(0, 10**16)))
    zeros = draw(st.sampled_from(["", "", "", "0", "00000", "0" * 14]))
    decimals = draw(
        st.sampled_from(["", "", ".0", ".5", ".25", ".000", ".001", ".000000001", ".99", ".0000000000", "."])
    )
    sign, space = draw(st.sampled_from(["", "", "", "-", "+"])), draw(st.sampled_from(["", " ", "  "]))
    prefix = draw(st.sampled_from([read.prefix, read.prefix, "$"]))
    return f"{prefix}{sign}{zeros}{whole}{decimals}{space}{draw(st.sampled_from([suffix, suffix, suffix.lower()]))}"


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=200)
@given(data=st.data())
def test_a_text_is_read_exactly_when_it_matches(name: str, data: st.DataObject) -> None:
    read, written = READERS[name]
    text = data.draw(st.one_of(quantities(written), st.text(max_size=12)))
    said, matches = refusal(read, text), PATTERNS[name].fullmatch(text) is not None
    if matches and said:
        assert "does not come out as whole" in said
        assert text.endswith(COARSE)
    assert matches or said


@given(st.one_of(quantities(units.PERCENTILE), st.text(max_size=8)))
def test_a_percentile_is_read_exactly_when_it_matches_and_is_not_zero(text: str) -> None:
    pattern = re.compile(quantity(units.PERCENTILE).keywords["pattern"])
    zero = re.compile(ZERO)
    matches = pattern.fullmatch(text) is not None and not zero.fullmatch(text)
    assert matches == (not refusal(units.percentile_bp, text))


@pytest.mark.parametrize("name", READERS)
@given(data=st.data())
def test_exactly_nothing_is_zero(name: str, data: st.DataObject) -> None:
    read, written = READERS[name]
    text = data.draw(quantities(written))
    if not refusal(read, text):
        assert (re.fullmatch(ZERO, text) is not None) == (read(text) == 0)


WRITTEN_NAME = next(each for each in Name.__metadata__ if isinstance(each, Written)).keywords
READ_NAME = Name.__metadata__[0].func


@given(st.one_of(st.text("ab-.9A", max_size=8), st.integers(60, 66).map(lambda size: "a" * size)))
def test_a_name_is_read_exactly_when_it_matches(text: str) -> None:
    matches = re.fullmatch(WRITTEN_NAME["pattern"], text) is not None and len(text) <= WRITTEN_NAME["maxLength"]
    try:
        READ_NAME(text)
    except ValueError:
        assert not matches
    else:
        assert matches


@pytest.mark.parametrize("name", READERS)
def test_a_pattern_uses_nothing_that_some_engine_lacks(name: str) -> None:
    assert not re.search(r"\(\?[^:]|\\[^.$]", PATTERNS[name].pattern)
