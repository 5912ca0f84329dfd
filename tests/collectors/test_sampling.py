import pytest
from hypothesis import given
from hypothesis import strategies as st
from posts import export, json_span, protobuf_export

from collectors.otlp.decode_json import decode_json
from collectors.otlp.decode_protobuf import decode_protobuf
from collectors.otlp.sampling import MOST, RANGE, adjusted_count


@pytest.mark.parametrize(
    ("trace_state", "expected"),
    [
        ("ot=th:0", 1.0),
        ("ot=th:8", 2.0),
        ("ot=th:c", 4.0),
        ("ot=th:c000", 4.0),
        ("ot=rv:abcdefabcdefab;th:8;x:y", 2.0),
        ("vendor=th:c, ot=th:8", 2.0),
        ("ot=th:ffffffffffffff", MOST),
    ],
)
def test_a_threshold_tells_how_many_a_span_stands_for(trace_state: str, expected: float) -> None:
    assert adjusted_count(trace_state) == expected


@pytest.mark.parametrize(
    "trace_state",
    ["", "ot=", "ot=rv:1", "ot=th:", "ot=th:g", "ot=th:+8", "ot=th:C", "ot=th:123456789012345", "a=th:8", "x" * 600],
)
def test_a_state_that_does_not_tell_it_clearly_tells_nothing(trace_state: str) -> None:
    assert adjusted_count(trace_state) is None


@given(st.integers(1, 10_000))
def test_one_in_n_stands_for_n(one_in: int) -> None:
    threshold = RANGE - RANGE // one_in
    found = adjusted_count(f"ot=th:{threshold:014x}".rstrip("0") if threshold else "ot=th:0")
    assert found == pytest.approx(one_in, rel=1e-9)


@given(st.text(max_size=64))
def test_no_text_raises_or_stands_for_less_than_one(trace_state: str) -> None:
    found = adjusted_count(trace_state)
    assert found is None or 1.0 <= found <= MOST


def test_both_encodings_carry_the_trace_state() -> None:
    (from_json,) = decode_json(export(json_span(1, traceState="ot=th:c"))).spans
    request, span = protobuf_export()
    span.trace_state = "ot=th:c"
    (from_protobuf,) = decode_protobuf(request.SerializeToString()).spans
    assert from_json.adjusted_count == from_protobuf.adjusted_count == 4.0
