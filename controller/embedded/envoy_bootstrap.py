"""Envoy's bootstrap from plain data: listeners, the clusters that they may ask, and what all of them keep to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from controller.embedded.envoy_routes import (
    FILTERS,
    REQUEST_TIMEOUT_S,
    TYPE,
    Json,
    cluster_name,
    held_name,
    typed,
)
from controller.embedded.ports import HOST

STATS_KEPT = (
    r".*http_local_rate_limit\.enabled",
    r"vhost\..*\.route\..*\.upstream_rq_(completed|timeout|retry|[1-5]xx|[1-5]\d\d)",
    r"cluster\..*\.(upstream_rq_(total|completed|active|timeout|pending_failure_eject)|upstream_cx_connect_fail)",
    r"http\..*\.(downstream_rq_(total|completed|active|[1-5]xx)|rds\..*)",
    r"http\..*\.fault\..*",
    r"server\.(live|memory_allocated|uptime)",
)
MAX_BODY_BYTES = 4 * 1024 * 1024
MAX_CONNECTIONS = 1000
CONNECT_TIMEOUT_S = 0.25
MOST_HELD = 100
"""Requests that wait for a first entry at once; others are refused."""
COMPRESSED_TYPES = ["application/json", "application/octet-stream"]
"""How Triton's callers name a body: tensors as JSON, or as bytes behind a head of JSON."""


@dataclass(frozen=True, slots=True, order=True)
class Backend:
    """A Triton's HTTP port and the Triton model names that routes may send there.

    It is that of a site, or of a `node` of a site that has one on each.
    """

    site: str
    port: int
    models: tuple[str, ...]
    node: str = ""


def bootstrap(
    admin_port: int, listeners: Mapping[str, int], route_folders: Mapping[str, str], backends: Iterable[Backend]
) -> Json:
    """Envoy's bootstrap: a listener an origin, routed by `<folder>/routes.json`, a cluster a variant and server."""
    clusters = [
        cluster(cluster_name(item.site, name, item.node), name, item.port) for item in backends for name in item.models
    ]
    clusters += [_held_cluster(origin, port) for origin, port in listeners.items()]
    connections = {
        "@type": f"{TYPE}.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
        "max_active_downstream_connections": MAX_CONNECTIONS,
    }
    return {
        "node": {"id": "gridwright", "cluster": "embedded"},
        "admin": {"address": _address(admin_port)},
        "stats_config": {
            "stats_matcher": {"inclusion_list": {"patterns": [{"safe_regex": {"regex": item}} for item in STATS_KEPT]}}
        },
        "overload_manager": {
            "resource_monitors": [
                {"name": "envoy.resource_monitors.global_downstream_max_connections", "typed_config": connections}
            ]
        },
        "static_resources": {
            "listeners": [_listener(origin, port, route_folders[origin]) for origin, port in listeners.items()],
            "clusters": [*clusters, {"name": "refused", "type": "STATIC"}],
        },
    }


def cluster(name: str, triton_name: str, port: int) -> Json:
    """A cluster that asks for one variant at one server.

    The path is set on the way to the host and not before: a retry on another entry then asks for that entry's variant.
    """
    path = f"/v2/models/{triton_name}/infer"
    rewrite = f'function envoy_on_request(handle)\n  handle:headers():replace(":path", "{path}")\nend\n'
    protocol = {
        "@type": f"{TYPE}.extensions.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {"http_protocol_options": {}},
        "http_filters": [
            _filter("lua", "lua.v3.Lua", default_source_code={"inline_string": rewrite}),
            _filter("upstream_codec", "upstream_codec.v3.UpstreamCodec"),
        ],
    }
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": f"{CONNECT_TIMEOUT_S}s",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _address(port)}}]}],
        },
        "circuit_breakers": {
            "thresholds": [
                {"max_connections": 1024, "max_pending_requests": 1024, "max_requests": 1024, "max_retries": 1024}
            ]
        },
        "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": protocol},
    }


def _held_cluster(origin: str, port: int) -> Json:
    """The origin's own listener, for what waits there."""
    limits = ("max_connections", "max_pending_requests", "max_requests", "max_retries")
    return {
        "name": held_name(origin),
        "type": "STATIC",
        "connect_timeout": f"{CONNECT_TIMEOUT_S}s",
        "load_assignment": {
            "cluster_name": held_name(origin),
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _address(port)}}]}],
        },
        "circuit_breakers": {"thresholds": [dict.fromkeys(limits, MOST_HELD)]},
    }


def _compressor() -> Json:
    """Packs what goes to a server, and nothing that comes back; off wherever no entry switches it on."""
    library = {
        "name": "gzip",
        "typed_config": {"@type": f"{TYPE}.extensions.compression.gzip.compressor.v3.Gzip"},
    }
    to_server = {"common_config": {"enabled": {"default_value": True}, "content_type": COMPRESSED_TYPES}}
    packing = _filter(
        "compressor",
        "compressor.v3.Compressor",
        request_direction_config=to_server,
        response_direction_config={"common_config": {"enabled": {"default_value": False}}},
        compressor_library=library,
    )
    return {**packing, "disabled": True}


def _listener(origin: str, port: int, folder: str) -> Json:
    source = {"path": f"{folder}/routes.json", "watched_directory": {"path": folder}}
    manager = {
        "@type": f"{TYPE}.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": origin,
        "generate_request_id": False,
        "stream_idle_timeout": f"{2 * REQUEST_TIMEOUT_S}s",
        "rds": {"route_config_name": origin, "config_source": {"path_config_source": source}},
        "http_filters": [
            # Counts what arrived: before the delay, and whatever becomes of the request.
            _filter("local_ratelimit", "local_ratelimit.v3.LocalRateLimit", stat_prefix="unrouted"),
            _filter("fault", "fault.v3.HTTPFault"),
            _compressor(),
            _filter("router", "router.v3.Router"),
        ],
    }
    return {
        "name": origin,
        "address": _address(port),
        "per_connection_buffer_limit_bytes": MAX_BODY_BYTES,
        "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
    }


def _filter(name: str, kind: str, **fields: object) -> Json:
    return {"name": f"{FILTERS}.{name}", "typed_config": typed(kind, **fields)}


def _address(port: int) -> Json:
    return {"socket_address": {"address": HOST, "port_value": port}}
