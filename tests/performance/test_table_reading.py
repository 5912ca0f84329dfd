"""The three formats, and what is said of tables that are none of them."""

from pathlib import Path

import pytest

from controller.performance.tables import reading
from controller.performance.tables.errors import TableError
from controller.performance.tables.formats import Unstated
from controller.performance.tables.measurement import batch_sweeps, concurrency_sweeps
from controller.performance.tables.reading import read_table

PUBLISHED = """\
model,scenario,gpu,backend,backend_accel,precision,params,client_batch,concurrency,throughput_ips,avg_ms,p99_ms
resnet,online,NVIDIA T4,ONNX Runtime,TensorRT,FP16,"GPU=NVIDIA T4;Max batch size=64;F1 Score=91.4",1,8,400,20.5,31
resnet,online,NVIDIA T4,ONNX Runtime,-,FP16,,,,100.5,,
"""
MODEL_ANALYZER = """\
Model,Batch,Concurrency,Model Config Path,Instance Group,Max Batch Size,Satisfies Constraints,Throughput (infer/sec),\
p99 Latency (ms)
resnet50,1,2,resnet50_config_1,2:GPU,8,Yes,195.0,11.0
resnet50,1,4,resnet50_config_1,2:GPU,8,No,250.0,18.5
"""
PERF_ANALYZER = """\
Concurrency,Inferences/Second,Client Send,Network+Server Send/Recv,Server Queue,Server Compute Input,\
Server Compute Infer,Server Compute Output,Client Recv,p50 latency,p90 latency,p95 latency,p99 latency
1,0,0,0,0,0,0,0,0,0,0,0,0
2,396.5,10,300,40,60,4500,80,10,4900,5200,5400,6000
"""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return tmp_path / "table.csv"


def test_a_published_table_keeps_what_tells_set_ups_apart_and_leaves_the_device_and_its_scores_out(table: Path) -> None:
    table.write_text(PUBLISHED)
    first, second = read_table(table)
    assert (first.setup.model, first.setup.engine, first.setup.precision) == ("resnet", "ONNX Runtime+TensorRT", "FP16")
    assert dict(first.setup.settings)["params"] == "Max batch size=64"
    assert (first.device, first.batch, first.concurrency) == ("NVIDIA T4", 1, 8)
    assert (first.throughput_ips, first.mean_ms, first.tail_ms) == (400, 20.5, 31)
    assert second.setup.engine == "ONNX Runtime"
    assert second.line == 3


def test_a_mean_that_is_not_stated_follows_from_littles_law(table: Path) -> None:
    table.write_text(PUBLISHED)
    unstated = read_table(table)[1]
    assert unstated.avg_ms is None
    assert unstated.mean_ms == pytest.approx(1000 / 100.5)
    assert unstated.tail_ms == unstated.mean_ms


def test_a_model_analyzer_table_is_read_with_its_config_as_a_setting(table: Path) -> None:
    table.write_text(MODEL_ANALYZER)
    first, second = read_table(table, Unstated(device="NVIDIA A40"))
    assert (first.setup.model, first.device) == ("resnet50", "NVIDIA A40")
    assert first.setup.settings == (("config", "resnet50_config_1"), ("instances", "2:GPU"), ("max_batch", "8"))
    assert (first.throughput_ips, first.p99_ms) == (195, 11)
    assert first.setup == second.setup
    assert second.concurrency == 4


def test_a_perf_analyzer_table_is_in_us_and_its_parts_sum_to_the_mean(table: Path) -> None:
    table.write_text(PERF_ANALYZER)
    (only,) = read_table(table, Unstated("resnet50", "NVIDIA T4", 4))
    assert (only.setup.model, only.device, only.batch, only.concurrency) == ("resnet50", "NVIDIA T4", 4, 2)
    assert only.avg_ms == pytest.approx(5.0)
    assert only.outside_ms == pytest.approx(0.32)
    assert (only.p50_ms, only.p90_ms, only.p95_ms, only.p99_ms) == (4.9, 5.2, 5.4, 6.0)


def test_what_a_published_table_says_of_the_client_and_the_network_is_summed(table: Path) -> None:
    header, first, second = PUBLISHED.splitlines()
    columns = "client_send_ms,network_ms,client_recv_ms"
    table.write_text(f"{header},{columns}\n{first},0.1,2.5,\n{second},,,\n")
    stated, unstated = read_table(table)
    assert stated.outside_ms == pytest.approx(2.6)
    assert unstated.outside_ms is None


def test_the_mean_of_a_verbose_perf_analyzer_table_is_its_own_column(table: Path) -> None:
    header, _, row = PERF_ANALYZER.splitlines()
    table.write_text(f"{header},Avg latency\n{row},5050\n")
    assert read_table(table)[0].avg_ms == pytest.approx(5.05)


@pytest.mark.parametrize(
    ("text", "line", "column", "said"),
    [
        (PUBLISHED.replace("20.5", "fast"), 2, "avg_ms", "a number is expected, not 'fast'"),
        (PUBLISHED.replace(",400,", ",-400,"), 2, "throughput_ips", "above zero"),
        (PUBLISHED.replace(",400,", ",nan,"), 2, "throughput_ips", "a number of at most"),
        (PUBLISHED.replace("100.5", ""), 3, "throughput_ips", "the cell is empty"),
        (PUBLISHED.replace(",1,8,", ",1.5,8,"), 2, "client_batch", "a whole number"),
        (PUBLISHED.replace(",,,100.5,,", ",100.5"), 3, None, "12 cells are expected, 8 found"),
        (PUBLISHED.replace("throughput_ips", "throughput"), 1, "throughput_ips", "did you mean 'throughput'"),
        (MODEL_ANALYZER.replace("Throughput (infer/sec)", "Rate"), 1, "Throughput (infer/sec)", "model_analyzer"),
        (PERF_ANALYZER.replace("4500", "-1"), 3, "Server Compute Infer", "zero or more"),
        (PUBLISHED.splitlines()[0], None, None, "at least one measured row"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(
    table: Path, text: str, line: int | None, column: str | None, said: str
) -> None:
    table.write_text(text)
    with pytest.raises(TableError) as raised:
        read_table(table)
    assert (raised.value.line, raised.value.column) == (line, column)
    assert said in str(raised.value)
    assert str(raised.value).startswith(str(table))


def test_what_is_no_table_is_told(table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TableError, match="see whether the path is right"):
        read_table(tmp_path / "absent.csv")
    table.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(TableError, match="UTF-8"):
        read_table(table)
    table.write_text(PUBLISHED)
    monkeypatch.setattr(reading, "MAX_ROWS", 1)
    with pytest.raises(TableError, match="more than 1 rows"):
        read_table(table)
    monkeypatch.setattr(reading, "MAX_BYTES", 10)
    with pytest.raises(TableError, match="larger than"):
        read_table(table)


def test_rows_form_sweeps_of_what_alone_varies_in_order_and_short_ones_are_left_out(table: Path) -> None:
    header = PUBLISHED.splitlines()[0]
    rows = [f"net,online,T4,,,FP16,,{b},{n},10,{b + n},9" for b in (1, 2, 4) for n in (8, 4, 2, 1)]
    table.write_text("\n".join([header, *rows, "net,online,A40,,,FP16,,1,1,10,3,9"]))
    found = read_table(table)
    by_concurrency, by_batch = concurrency_sweeps(found), batch_sweeps(found)
    assert [[row.concurrency for row in sweep] for sweep in by_concurrency] == [[1, 2, 4, 8]] * 3
    assert [[row.batch for row in sweep] for sweep in by_batch] == [[1, 2, 4]] * 4
    assert {row.device for sweep in [*by_concurrency, *by_batch] for row in sweep} == {"T4"}
