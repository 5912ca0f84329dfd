"""A real server starts, says what is wrong when it cannot, dies without leaving anything, and comes back."""

import os
import socket
import time
from pathlib import Path

import httpx
import pytest

from controller.embedded.errors import PartFailedError, PartMissingError
from controller.embedded.ports import HOST
from controller.embedded.reaper import SHARED_MEMORY, Reaper
from controller.embedded.triton import Installation, TritonServer, TritonSettings, assemble
from tests.embedded.conftest import Collector
from tests.embedded.parts import TRACE_ID, TRACEPARENT, Sites, crops, load, request, server_url

pytestmark = pytest.mark.triton
PATIENCE_S = 20.0
GONE_S = 5.0


def of_group(group: int) -> list[int]:
    """The living processes of a process group."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state, _, pgrp = (entry / "stat").read_text().rpartition(")")[2].split()[:3]
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(pgrp) == group and state != "Z":
                found.append(int(entry.name))
    return found


def test_a_killed_server_leaves_no_stub_and_no_memory_and_returns_on_its_ports(
    installation: Installation, repository: Path, reaper: Reaper, tmp_path: Path
) -> None:
    server = TritonServer(installation, TritonSettings("alone", repository, tmp_path), reaper)
    server.start()
    endpoint, pid = server.endpoint, server.pid
    assert pid is not None
    load(server, "ppocr-cls--fp32")
    prefix = f"gridwright-{os.getpid()}-alone-"
    assert len(of_group(pid)) >= 2
    assert list(SHARED_MEMORY.glob(f"{prefix}*"))
    server.kill()
    assert not server.is_running
    gone_by = time.monotonic() + GONE_S
    while of_group(pid):  # a killed process goes once the kernel comes to it
        assert time.monotonic() < gone_by
        time.sleep(0.02)
    assert not list(SHARED_MEMORY.glob(f"{prefix}*"))
    server.start()
    assert server.endpoint == endpoint
    assert httpx.get(f"{server_url(server)}/v2/models/ppocr-cls--fp32/ready").status_code != 200
    server.stop()
    assert not server.is_running


def test_a_server_moves_to_other_ports_when_one_was_taken(
    installation: Installation, repository: Path, reaper: Reaper, tmp_path: Path
) -> None:
    server = TritonServer(installation, TritonSettings("moved", repository, tmp_path), reaper)
    before = server.endpoint
    with socket.create_server((HOST, before.http)):
        server.start()
    assert server.endpoint.http != before.http
    server.stop()


def test_a_server_that_cannot_start_shows_the_end_of_its_log(
    installation: Installation, reaper: Reaper, tmp_path: Path
) -> None:
    server = TritonServer(installation, TritonSettings("broken", tmp_path / "nowhere", tmp_path), reaper)
    with pytest.raises(PartFailedError, match=r"broken ended before it was ready(.|\n)*nowhere"):
        server.start()
    assert not server.is_running


def test_an_environment_without_triton_names_the_step_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(PartMissingError, match="make setup"):
        assemble(tmp_path / "none", tmp_path)


def test_traces_reach_the_receiver_with_the_callers_trace(sites: Sites, collector: Collector) -> None:
    name = "ppocr-cls--fp32"
    load(sites.north, name)
    body, headers = request(name, crops())
    url = f"{server_url(sites.north)}/v2/models/{name}/infer"
    httpx.post(url, content=body, headers=headers | {"traceparent": TRACEPARENT}).raise_for_status()
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end and not any(TRACE_ID.encode() in item for item in collector.bodies):
        time.sleep(0.1)
    assert any(TRACE_ID.encode() in item and b"north" in item for item in collector.bodies)
