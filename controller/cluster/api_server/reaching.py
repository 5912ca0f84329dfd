"""A connection to the API server, by a kubeconfig or as the service account of a pod."""

import asyncio
import socket
import ssl
from collections.abc import AsyncGenerator
from typing import Any, Final

import httpx

from controller.cluster.api_server.errors import CallError
from policy.cluster.kubeconfig import trouble

CONNECTIONS: Final = 64
CONNECT_WITHIN_S: Final = 5.0
SILENCE_S: Final = 30.0
PROBES: Final = {"TCP_KEEPIDLE": 15, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3}
KEPT_ALIVE: Final = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    *((socket.IPPROTO_TCP, getattr(socket, name), value) for name, value in PROBES.items() if hasattr(socket, name)),
)
"""A connection that is silent for 15 s is probed thrice, 5 s apart: a watch whose other side is gone breaks off.

Not all systems have all of these.
"""


def client(context: str = "", kubeconfig: str | None = None) -> httpx.AsyncClient:
    """A client of the API server of a context, the current one when none is named.

    `kubeconfig` is a path, or several as `KUBECONFIG` has them; without it the one in the home folder counts. In a pod
    that has none it is the pod's own API server. Raises CallError when there is none of all that.
    """
    settings = _settings(context, kubeconfig)
    return httpx.AsyncClient(
        base_url=settings.host,
        auth=_Bearer(settings),
        trust_env=False,
        timeout=httpx.Timeout(SILENCE_S, connect=CONNECT_WITHIN_S),
        transport=httpx.AsyncHTTPTransport(
            verify=_identity(settings),
            proxy=settings.proxy or None,
            trust_env=False,
            limits=httpx.Limits(max_connections=CONNECTIONS),
            socket_options=KEPT_ALIVE,
        ),
        event_hooks={"request": [_named(settings.tls_server_name)]} if settings.tls_server_name else {},
    )


def _settings(context: str, kubeconfig: str | None) -> Any:
    # The client takes a second to import, which whoever is in no cluster has no use for.
    from kubernetes import client as kubernetes  # noqa: PLC0415
    from kubernetes import config  # noqa: PLC0415

    settings = kubernetes.Configuration()
    try:
        config.load_kube_config(kubeconfig, context or None, settings)
    except config.ConfigException as error:
        if context or kubeconfig:
            raise CallError(*trouble(error, kubeconfig)) from error
        try:
            config.load_incluster_config(settings)
        except config.ConfigException:
            message, hint = trouble(error, kubeconfig)
            raise CallError(message, f"{hint}, or run in a pod of the cluster") from error
    return settings


def _identity(settings: Any) -> ssl.SSLContext:
    trusted = ssl.create_default_context(cafile=settings.ssl_ca_cert or None)
    if not settings.verify_ssl:
        trusted.check_hostname = False
        trusted.verify_mode = ssl.CERT_NONE
    if settings.cert_file:
        trusted.load_cert_chain(settings.cert_file, settings.key_file)
    return trusted


def _named(name: str) -> Any:
    async def name_server(request: httpx.Request) -> None:
        request.extensions["sni_hostname"] = name

    return name_server


class _Bearer(httpx.Auth):
    """The token, where there is one, as it is at each request: files and plugins renew it."""

    def __init__(self, settings: Any) -> None:
        self._settings = settings

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Put the token on the request. A plugin that is asked for a new one is a process, so it gets a thread."""
        if self._settings.api_key:
            given = await asyncio.to_thread(self._settings.get_api_key_with_prefix, "BearerToken", "authorization")
            request.headers["authorization"] = given
        yield request
