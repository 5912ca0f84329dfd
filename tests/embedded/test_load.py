"""The load generator as it runs: a process of its own against real parts."""

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from controller.embedded.envoy_routes import RouteEntry, StageRoute
from controller.embedded.load import Control, Demand, Factor, LoadConfig, factor_of, set_factors, status_of
from controller.embedded.pipelines import Call, Outcome
from controller.embedded.reaper import Reaper
from tests.embedded.parts import Sites, counter, load, unload

ROOT = Path(__file__).parents[2]
OCR = (("detect", "ppocr-det"), ("orient", "ppocr-cls"), ("read", "ppocr-rec"))
LISTEN = (("listen", "silero-vad"),)
MODELS = ("ppocr-det", "ppocr-cls", "ppocr-rec", "silero-vad")


@pytest.fixture(scope="module")
def routed(sites: Sites) -> Iterator[Sites]:
    for model in MODELS:
        load(sites.north, f"{model}--fp32")
    stages = [
        StageRoute("paris", service, stage, (RouteEntry("north", f"{model}--fp32", 1),))
        for service, stages in (("ocr", OCR), ("vad", LISTEN))
        for stage, model in stages
    ]
    sites.gateway.set_routes(stages, {})
    yield sites
    for model in MODELS:
        unload(sites.north, f"{model}--fp32")


def demand(service: str, url: str = "http://127.0.0.1:9") -> Demand:
    if service == "ocr":
        return Demand(origin="paris", service="ocr", url=url, kind="ocr", stages=OCR, mean_milli_rps=2000)
    return Demand(origin="paris", service="vad", url=url, kind="speech", stages=LISTEN, mean_milli_rps=5000)


def play(
    reaper: Reaper, work: Path, config: LoadConfig, factors: tuple[Factor, ...] = ()
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Run the generator to its end, with new factors once it runs: (results, its own account)."""
    file = work / "load.json"
    file.write_text(config.model_dump_json())
    argv = [sys.executable, "-m", "controller.embedded.load", str(file)]
    process = reaper.spawn(argv, env=os.environ, cwd=ROOT, log=work / "load.log")
    while factors and not config.results.exists() and process.poll() is None:
        time.sleep(0.05)
    if factors:
        set_factors(config.control, factors)
    assert process.wait(60) == 0, (work / "load.log").read_text()
    *results, account = map(json.loads, config.results.read_text().splitlines())
    return results, account


@pytest.mark.triton
@pytest.mark.envoy
def test_every_run_goes_stage_by_stage_through_the_gateway_and_brings_real_answers(
    routed: Sites, reaper: Reaper, tmp_path: Path
) -> None:
    url = routed.gateway.origin_url("paris")
    config = LoadConfig(
        demands=(demand("ocr", url), demand("vad", url)),
        duration_s=4,
        results=tmp_path / "results",
        control=tmp_path / "control",
        depth_permille=0,
    )
    results, account = play(reaper, tmp_path, config)
    assert account["account"] == {"ok": len(results)}
    assert account["unfinished"] == 0
    runs = [item for item in results if item["service"] == "ocr"]
    assert runs
    for run in runs:
        assert [call["stage"] for call in run["calls"]] == ["detect", "orient", "orient", "read", "read"]
        assert {call["served_by"].partition("/")[0] for call in run["calls"]} == {"north"}
        assert len(run["answer"]) == 2
        assert run["latency_us"] >= max(call["latency_us"] for call in run["calls"])
    assert any(word in text for run in runs for text in run["answer"] for word in ("TOTAL", "Region", "BREAD", "MILK"))
    assert len({run["trace_id"] for run in results}) == len(results)
    family = "envoy_http_local_rate_limit_enabled"
    labels = {"envoy_local_http_ratelimit_prefix": "paris/ocr/read"}
    assert counter(routed.gateway, family, **labels) == 2 * len(runs)


@pytest.mark.triton
@pytest.mark.envoy
def test_the_rates_of_a_running_generator_change_with_its_control_file(
    routed: Sites, reaper: Reaper, tmp_path: Path
) -> None:
    url = routed.gateway.origin_url("paris")
    config = LoadConfig(
        demands=(demand("ocr", url), demand("vad", url)),
        duration_s=4,
        results=tmp_path / "results",
        control=tmp_path / "control",
        depth_permille=0,
    )
    set_factors(config.control, (Factor(permille=0),))
    results, _ = play(reaper, tmp_path, config, (Factor(permille=0), Factor(service="vad", permille=4000)))
    assert {item["service"] for item in results} == {"vad"}


@pytest.mark.triton
@pytest.mark.envoy
def test_a_gateway_that_is_not_there_is_a_failed_run_and_the_generator_ends(reaper: Reaper, tmp_path: Path) -> None:
    config = LoadConfig(
        demands=(demand("vad"),),
        duration_s=2,
        results=tmp_path / "results",
        control=tmp_path / "control",
        depth_permille=0,
    )
    results, account = play(reaper, tmp_path, config)
    assert account["account"] == {"failed": len(results)}
    assert results
    assert all(item["calls"][0]["http"] == 0 and item["calls"][0]["fault"] for item in results)


def test_later_factors_win_and_others_keep_theirs() -> None:
    control = Control(factors=(Factor(permille=3000), Factor(service="vad", permille=500)))
    assert (factor_of(control, demand("ocr")), factor_of(control, demand("vad"))) == (3.0, 0.5)
    assert factor_of(Control(), demand("ocr")) == 1.0


def test_a_config_with_an_unknown_key_is_refused() -> None:
    with pytest.raises(ValidationError, match="speed"):
        LoadConfig.model_validate({"demands": [], "duration_s": 1, "results": "r", "control": "c", "speed": 2})


def test_the_status_of_a_run_says_what_became_of_it() -> None:
    def outcome(http: int, *, complete: bool) -> Outcome:
        return Outcome((Call("detect", 0.0, 1, http, ""),), (), complete)

    runs = (None, outcome(200, complete=True), outcome(429, complete=False), outcome(503, complete=False))
    assert [status_of(item) for item in runs] == ["dropped", "ok", "refused", "failed"]
