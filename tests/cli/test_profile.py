"""`gridwright profile` where no server is needed."""

from pathlib import Path

import pytest
import yaml
from process import gridwright

from policy.documents.device_profile import DeviceProfileSpec

PERF_ANALYZER = """\
Concurrency,Inferences/Second,Client Send,Network+Server Send/Recv,Server Queue,Server Compute Input,\
Server Compute Infer,Server Compute Output,Client Recv,p50 latency,p90 latency,p95 latency,p99 latency
1,200,10,300,40,60,4500,80,10,4900,5200,5400,6000
2,396.5,10,300,40,60,4600,80,10,4900,5200,5400,6000
"""
MODEL_ANALYZER = """\
Model,Batch,Concurrency,Model Config Path,Instance Group,Max Batch Size,Satisfies Constraints,Throughput (infer/sec),\
p99 Latency (ms)
resnet50,1,1,resnet50_config_1,1:GPU,8,Yes,200.0,6.0
resnet50,8,1,resnet50_config_1,1:GPU,8,Yes,500.0,19.0
"""


def test_a_perf_analyzer_table_becomes_a_document(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text(PERF_ANALYZER)
    ran = gridwright("profile", "resnet50", "--from-csv", table, "--device", "t4", "--variant", "fp16")
    assert ran.status == 0, ran.err
    document = yaml.safe_load(ran.out)
    (variant,) = DeviceProfileSpec.model_validate(document["spec"]).variants
    assert (document["metadata"]["name"], variant.model, variant.variant) == ("t4", "resnet50", "fp16")
    assert [(point.batch, point.time) for point in variant.service_time] == [(1, 5_000)]
    assert "# resnet50/fp16: share assumed" in ran.out


def test_a_model_analyzer_table_gives_every_batch_and_is_written_where_asked(tmp_path: Path) -> None:
    table, output = tmp_path / "table.csv", tmp_path / "a40.yaml"
    table.write_text(MODEL_ANALYZER)
    ran = gridwright("profile", "--from-csv", table, "--device", "a40", "--output", output, "--json")
    assert ran.status == 0, ran.err
    assert ran.json()["document"] == output.read_text()
    (variant,) = yaml.safe_load(output.read_text())["spec"]["variants"]
    assert variant["serviceTime"] == [{"batch": 1, "time": "5000us"}, {"batch": 8, "time": "16000us"}]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "give either MODEL and --server, or --from-csv"),
        (("toy", "--server", "127.0.0.1:1", "--from-csv", "x.csv"), "give either MODEL and --server, or --from-csv"),
        (("toy", "--server", "127.0.0.1:1"), "give MODEL and --device NAME"),
        (("toy", "--server", "127.0.0.1:1", "--device", "t4", "--budget", "long"), "such as 250ms"),
        (("toy", "--server", "127.0.0.1:1", "--device", "t4"), "give the server's gRPC address"),
        (("--from-csv", "missing.csv", "--device", "t4"), "see whether the path is right"),
    ],
)
def test_what_cannot_be_profiled_tells_the_next_step(arguments: tuple[str, ...], said: str) -> None:
    ran = gridwright("profile", *arguments)
    assert ran.status == 1
    assert said in " ".join(ran.err.split())
