"""A policy in the words of others, as the command writes it."""

import yaml
from process import EXAMPLE, gridwright


def test_openslo_goes_to_stdout_and_what_it_cannot_say_to_stderr() -> None:
    ran = gridwright("export", "openslo", EXAMPLE)
    assert ran.status == 0
    assert [each["spec"]["service"] for each in yaml.safe_load_all(ran.out)] == ["call-vad", "receipt-ocr"]
    assert ran.err.count("GW0397") == 2


def test_rules_for_prometheus_go_to_stdout() -> None:
    ran = gridwright("export", "prometheus", EXAMPLE)
    assert (ran.status, ran.err) == (0, "")
    names = [group["name"] for group in yaml.safe_load(ran.out)["groups"]]
    assert names == ["gridwright-call-vad-latency-1", "gridwright-receipt-ocr-latency-1"]


def test_nothing_is_written_of_a_policy_with_errors() -> None:
    ran = gridwright("export", "prometheus", EXAMPLE.parent / "nowhere")
    assert (ran.status, ran.out) == (1, "")
