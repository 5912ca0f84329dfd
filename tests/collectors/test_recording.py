from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.dispersion import burstiness
from collectors.evidence.records import Evidence
from collectors.recording import MAX_LINE_BYTES, RecordingError, append, decode, encode, read
from collectors.snapshot import (
    Arrivals,
    Latency,
    LoadedModel,
    ModelState,
    Offered,
    Quantiles,
    Rate,
    Reading,
    Server,
    ServerState,
    Snapshot,
    StageTimes,
    StageWork,
    Work,
)
from policy.findings import Finding, Level, Place

NOW = datetime(2026, 11, 24, 12, 0, 0, 123456, tzinfo=UTC)
QUANTILES = Quantiles(3, 1, 2, 3)
FULL = Snapshot(
    NOW,
    servers=(
        Server("edge", Reading(ServerState((LoadedModel("d", "fp32", ModelState.READY, 1, 4, 0),)), NOW, "here")),
        Server("gone", Reading(None, None, "there")),
    ),
    offered=(Offered("ocr", "paris", Reading(Rate(2000, 10, 5.000001), NOW, "here")),),
    latency=(Latency("ocr", "paris", Reading(QUANTILES, NOW, "here"), errors=2),),
    arrivals=(Arrivals("ocr", "paris", Reading(burstiness((0.0, 0.5, 1.5)), NOW, "here")),),
    work=(
        Work(
            "edge",
            "d",
            "fp32",
            Reading(StageWork(5.0, 1, 2, 3, 4, 5, 6), NOW, "here"),
            Reading(StageTimes(QUANTILES, QUANTILES), NOW, "here"),
        ),
    ),
    evidence=(Evidence("e", "site", "paris", "pci-dss", (4, 0), "issuer", NOW, NOW, Place("e.yaml", 1, 2)),),
    findings=(Finding("GW0501", Level.WARNING, "é\u2028", "hint", Place("a.yaml", 1, 1), "s"),),
)


def test_a_snapshot_reads_back_as_it_was_and_encodes_to_the_same_bytes() -> None:
    again = decode(encode(FULL), Snapshot)
    assert again == FULL
    assert encode(again) == encode(FULL)


@given(
    st.builds(
        Rate, st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False)
    ),
    st.datetimes(timezones=st.just(UTC)),
    st.text(st.characters(codec="utf-8")),
)
def test_any_reading_reads_back_bit_for_bit(rate: Rate, at: datetime, source: str) -> None:
    snapshot = Snapshot(at, offered=(Offered(source, source, Reading(rate, at, source)),))
    again = decode(encode(snapshot), Snapshot)
    assert again == snapshot
    assert encode(again) == encode(snapshot)


def test_snapshots_come_back_in_the_order_they_were_appended(tmp_path: Path) -> None:
    file = tmp_path / "recording.jsonl"
    snapshots = [Snapshot(NOW + timedelta(seconds=second)) for second in range(3)] + [FULL]
    for snapshot in snapshots:
        append(file, snapshot)
    assert list(read(file)) == snapshots
    assert file.read_bytes().count(b"\n") == 4


def test_a_line_cut_off_by_a_crash_is_told_after_those_before_it(tmp_path: Path) -> None:
    file = tmp_path / "recording.jsonl"
    append(file, FULL)
    append(file, FULL)
    file.write_bytes(file.read_bytes()[:-10])
    recorded = read(file)
    assert next(recorded) == FULL
    with pytest.raises(RecordingError, match=r"recording\.jsonl:2: the line is cut off"):
        next(recorded)


@pytest.mark.parametrize("line", [b"garbage\n", b"{}\n", b"\xff\n", b"[" * 100_000 + b"\n"])
def test_a_line_that_is_no_snapshot_is_told_with_its_number(tmp_path: Path, line: bytes) -> None:
    file = tmp_path / "recording.jsonl"
    file.write_bytes(encode(FULL) + b"\n" + line)
    with pytest.raises(RecordingError, match=r"recording\.jsonl:2: "):
        list(read(file))


def test_a_line_without_end_is_read_to_the_limit(tmp_path: Path) -> None:
    file = tmp_path / "recording.jsonl"
    file.write_bytes(b" " * (MAX_LINE_BYTES + 1))
    with pytest.raises(RecordingError, match="cut off"):
        list(read(file))


def test_a_file_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="cannot be read"):
        list(read(tmp_path / "nowhere"))
    with pytest.raises(RecordingError, match="cannot be written") as caught:
        append(tmp_path / "nowhere" / "file", FULL)
    assert isinstance(caught.value.__cause__, OSError)
