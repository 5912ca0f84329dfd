"""What the gateway packs a real server unpacks: fewer bytes go there, and the answers stay the same."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from controller.embedded.envoy import EnvoyProxy
from controller.embedded.envoy_bootstrap import Backend
from controller.embedded.envoy_routes import DRAW_HEADER, RouteEntry, StageRoute
from controller.embedded.ports import HOST
from controller.embedded.reaper import Reaper
from controller.embedded.tensors import decode
from tests.embedded.parts import Sites, infer, load, request, unload

pytestmark = [pytest.mark.triton, pytest.mark.envoy]
NAME = "ppocr-cls--fp32"
CROPS = {"crop": np.tile(np.arange(192, dtype=np.uint8)[None, :, None], (48, 1, 3))}


class Wire(threading.Thread):
    """Stands between the gateway and a server, and keeps what goes there."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self._there = port
        self._listener = socket.create_server((HOST, 0))
        self.port: int = self._listener.getsockname()[1]
        self.sent = bytearray()

    def run(self) -> None:
        while True:
            try:
                caller, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection((HOST, self._there))
            threading.Thread(target=self._carry, args=(caller, server, self.sent), daemon=True).start()
            threading.Thread(target=self._carry, args=(server, caller, bytearray()), daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    @staticmethod
    def _carry(source: socket.socket, target: socket.socket, seen: bytearray) -> None:
        with source, target:
            try:
                while data := source.recv(65536):
                    seen += data
                    target.sendall(data)
            except OSError:
                return


@pytest.fixture
def wire(sites: Sites) -> Iterator[Wire]:
    load(sites.north, NAME)
    wire = Wire(sites.north.endpoint.http)
    wire.start()
    yield wire
    wire.close()
    unload(sites.north, NAME)


@pytest.fixture
def gateway(wire: Wire, reaper: Reaper, tmp_path: Path) -> Iterator[EnvoyProxy]:
    with socket.create_server((HOST, 0)) as nobody:
        dead: int = nobody.getsockname()[1]
    backends = [Backend("north", wire.port, (NAME,)), Backend("dead", dead, (NAME,))]
    gateway = EnvoyProxy(("paris",), backends, tmp_path, reaper)
    gateway.start()
    yield gateway
    gateway.stop()


def call(gateway: EnvoyProxy) -> httpx.Response:
    body, headers = request(NAME, CROPS)
    headers |= {DRAW_HEADER: "0"}
    url = f"{gateway.origin_url('paris')}/ocr/orient/v2/models/ppocr-cls/infer"
    return httpx.post(url, content=body, headers=headers, timeout=20)


def answered(gateway: EnvoyProxy) -> dict[str, list[object]]:
    return decode(call(gateway).raise_for_status().content)


def routed(gateway: EnvoyProxy, *, compressed: bool) -> None:
    gateway.set_routes([StageRoute("paris", "ocr", "orient", (RouteEntry("north", NAME, 1, compressed),))], {})


def test_a_packed_payload_is_answered_like_a_plain_one(sites: Sites, wire: Wire, gateway: EnvoyProxy) -> None:
    expected = infer(sites.north, NAME, CROPS)
    routed(gateway, compressed=False)
    assert answered(gateway) == expected
    plain = bytes(wire.sent)
    assert (b"content-encoding" in plain.lower(), len(plain) > CROPS["crop"].nbytes) == (False, True)
    wire.sent.clear()
    routed(gateway, compressed=True)
    assert answered(gateway) == expected
    packed = bytes(wire.sent)
    assert b"content-encoding: gzip" in packed.lower()
    assert len(packed) < len(plain) // 4


@pytest.mark.parametrize(("compressed", "status"), [(True, 200), (False, 503)])
def test_a_packed_payload_goes_to_no_other_entry_that_takes_it_plain(
    wire: Wire, gateway: EnvoyProxy, *, compressed: bool, status: int
) -> None:
    entries = RouteEntry("dead", NAME, 1, compressed=True), RouteEntry("north", NAME, 1, compressed=compressed)
    gateway.set_routes([StageRoute("paris", "ocr", "orient", entries)], {})
    assert call(gateway).status_code == status
    assert (b"content-encoding: gzip" in wire.sent.lower()) == compressed
