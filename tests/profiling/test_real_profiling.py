"""`gridwright profile` on a real Triton whose model takes a time that is known."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml

from controller.embedded.errors import PartMissingError
from controller.embedded.reaper import Reaper
from controller.embedded.triton import Installation, TritonServer, TritonSettings, assemble
from policy.documents.device_profile import DeviceProfileSpec

pytestmark = pytest.mark.triton

ROOT = Path(__file__).parents[2]
COMMAND = Path(sys.executable).with_name("gridwright")
BASE_US, EACH_US = 6_000, 2_000
CONFIG = """
backend: "python"
max_batch_size: 8
input [{name: "X" data_type: TYPE_FP32 dims: [-1]}]
output [{name: "Y" data_type: TYPE_FP32 dims: [-1]}]
instance_group [{count: 3 kind: KIND_CPU}]
dynamic_batching {}
"""
MODEL = f"""
import time
import triton_python_backend_utils as backend

class TritonPythonModel:
    def execute(self, requests):
        inputs = [backend.get_input_tensor_by_name(request, "X").as_numpy() for request in requests]
        time.sleep(({BASE_US} + {EACH_US} * sum(len(item) for item in inputs)) / 1e6)
        return [backend.InferenceResponse([backend.Tensor("Y", item)]) for item in inputs]
"""


def write_model(repository: Path, installation: Installation) -> None:
    folder = repository / "toy--fp32" / "1"
    folder.mkdir(parents=True)
    packages = f"import sys\nsys.path.append({str(installation.packages)!r})\n"
    (folder / "model.py").write_text(packages + MODEL)
    (folder.parent / "config.pbtxt").write_text(CONFIG)


@pytest.fixture(scope="module")
def triton(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TritonServer]:
    work = tmp_path_factory.mktemp("profiled")
    try:
        installation = assemble(ROOT / ".venv-triton", work)
    except PartMissingError as missing:
        pytest.skip(str(missing))
    write_model(work / "models", installation)
    reaper = Reaper()
    server = TritonServer(installation, TritonSettings("lab", work / "models", work), reaper)
    try:
        server.start()
        yield server
    finally:
        server.stop(grace_s=1.0)
        reaper.close()


def profile(server: TritonServer, *more: str | Path) -> subprocess.CompletedProcess[str]:
    at = ("--server", f"127.0.0.1:{server.endpoint.grpc}", "--metrics", f"127.0.0.1:{server.endpoint.metrics}")
    return subprocess.run(
        [COMMAND, "profile", "toy--fp32", *at, "--device", "cpu-lab", *more],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


def test_a_real_model_is_profiled_and_left_as_it_was(triton: TritonServer, tmp_path: Path) -> None:
    output = tmp_path / "profile.yaml"
    cut_short = profile(triton, "--output", output, "--budget", "4s")
    assert cut_short.returncode == 2, cut_short.stderr
    assert output.with_suffix(".state.json").exists()
    done = profile(triton, "--output", output, "--budget", "90s")
    assert done.returncode == 0, done.stderr
    assert not output.with_suffix(".state.json").exists()
    document = yaml.safe_load(output.read_text())
    assert document["metadata"]["name"] == "cpu-lab"
    (variant,) = DeviceProfileSpec.model_validate(document["spec"]).variants
    assert (variant.model, variant.variant) == ("toy", "fp32")
    times = {point.batch: point.time for point in variant.service_time}
    assert {1, 8} <= set(times)
    assert len(times) < 8
    for batch, time_us in times.items():
        assert BASE_US + EACH_US * batch <= time_us <= 3 * (BASE_US + EACH_US * batch)
    assert variant.share < 1000
    assert 100_000 < variant.load < 60_000_000
    assert "memory unknown" in output.read_text()
    report = output.with_suffix(".html").read_text()
    assert report.count("<svg") == 3
    config = httpx.get(f"http://127.0.0.1:{triton.endpoint.http}/v2/models/toy--fp32/config").json()
    assert config["instance_group"][0]["count"] == 3


def test_an_address_where_no_triton_is_tells_the_next_step(triton: TritonServer) -> None:
    ran = subprocess.run(
        [COMMAND, "profile", "toy", "--server", f"127.0.0.1:{triton.endpoint.grpc}", "--device", "cpu"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 1
    assert "give the server's gRPC address" in ran.stderr
