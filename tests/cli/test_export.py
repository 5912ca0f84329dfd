"""A policy in the words of others, as the command writes it."""

from pathlib import Path

import yaml
from process import EXAMPLE, ROOT, gridwright


def test_openslo_goes_to_stdout_and_what_it_cannot_say_to_stderr() -> None:
    ran = gridwright("export", "openslo", EXAMPLE)
    assert ran.status == 0
    assert [each["spec"]["service"] for each in yaml.safe_load_all(ran.out)] == ["call-vad", "receipt-ocr"]
    assert ran.err.count("GW0397") == 2


def test_rules_for_prometheus_go_to_stdout() -> None:
    ran = gridwright("export", "prometheus", EXAMPLE)
    assert (ran.status, ran.err) == (0, "")
    names = [group["name"] for group in yaml.safe_load(ran.out)["groups"]]
    assert names == [
        f"gridwright-{each}" for each in ("call-vad-latency-1", "receipt-ocr-latency-1", "receipt-ocr-availability")
    ]


def test_nothing_is_written_of_a_policy_with_errors() -> None:
    ran = gridwright("export", "prometheus", EXAMPLE.parent / "nowhere")
    assert (ran.status, ran.out) == (1, "")


def test_admission_policies_go_to_stdout_with_the_evidence_of_now() -> None:
    ran = gridwright("export", "admission", EXAMPLE)
    assert ran.status == 0
    maps = {
        each["metadata"]["name"]: each["data"] for each in yaml.safe_load_all(ran.out) if each["kind"] == "ConfigMap"
    }
    assert "receipt-ocr--detect" in maps
    assert set(maps["receipt-ocr--detect"].values()) >= {"allowed"}


def test_admission_policies_that_kubernetes_would_refuse_are_not_written(tmp_path: Path) -> None:
    for file in (ROOT / "examples/factory").glob("*.yaml"):
        (tmp_path / file.name).write_text(file.read_text().replace("belt-inspection", "belt..inspection"))
    ran = gridwright("export", "admission", tmp_path)
    assert (ran.status, ran.out) == (1, "")
    assert "no ConfigMap is called belt..inspection--" in " ".join(ran.err.split())
