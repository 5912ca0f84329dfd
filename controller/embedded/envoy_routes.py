"""Envoy's configuration from plain data: pure, so that a route change can be read before it is made.

The data path: a client calls `/<service>/<stage>/v2/models/<model>/infer` on its origin's listener. Envoy picks an
entry of the stage's weighted list by the request's draw (a header with a number, the same for all stages of one run, so
that a run stays on one path), waits out the WAN delay from origin to site, and asks the entry's variant at its site.
When a site cannot be reached or has no such variant, another entry of the same list serves; nothing outside the
list ever does.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from controller.embedded.ports import HOST

TYPE = "type.googleapis.com/envoy"
DRAW_HEADER = "x-gridwright-draw"
SERVED_BY_HEADER = "x-gridwright-served-by"
REQUEST_TIMEOUT_S = 10
CONNECT_TIMEOUT_S = 0.25
MAX_RETRIES = 3
MAX_BODY_BYTES = 4 * 1024 * 1024
MAX_CONNECTIONS = 1000
REFUSED_STATUS = 429
UNAVAILABLE_STATUS = 503
UNKNOWN_STATUS = 404
UNLIMITED = 1_000_000
COMPRESSED_TYPES = ["application/json", "application/octet-stream"]
"""How Triton's callers name a body: tensors as JSON, or as bytes behind a head of JSON."""
STATS_KEPT = (
    r".*http_local_rate_limit\.enabled",
    r"vhost\..*\.route\..*\.upstream_rq_(completed|timeout|retry|[1-5]xx|[1-5]\d\d)",
    r"cluster\..*\.(upstream_rq_(total|completed|active|timeout|pending_failure_eject)|upstream_cx_connect_fail)",
    r"http\..*\.(downstream_rq_(total|completed|active|[1-5]xx)|rds\..*)",
    r"http\..*\.fault\..*",
    r"server\.(live|memory_allocated|uptime)",
)

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, order=True)
class Backend:
    """A site's Triton HTTP port and the Triton model names that routes may send there."""

    site: str
    port: int
    models: tuple[str, ...]


@dataclass(frozen=True, slots=True, order=True)
class RouteEntry:
    """One way to serve a stage; with `compressed`, the gateway sends payloads there as gzip."""

    site: str
    triton_name: str
    weight: int
    compressed: bool = False


@dataclass(frozen=True, slots=True, order=True)
class StageRoute:
    """The entries of a stage for one origin, in order; the lists of all stages of a service run in parallel.

    `refused_weight` is the weight of the draws that are refused with 429. No entries: all is answered with 503.
    """

    origin: str
    service: str
    stage: str
    entries: tuple[RouteEntry, ...]
    refused_weight: int = 0


def cluster_name(site: str, triton_name: str) -> str:
    """The name of the cluster that serves a variant at a site."""
    return f"{site}/{triton_name}"


def bootstrap(
    admin_port: int, listeners: Mapping[str, int], route_folders: Mapping[str, str], backends: Iterable[Backend]
) -> Json:
    """Envoy's bootstrap: a listener an origin with routes from `<folder>/routes.json`, a cluster a variant and site."""
    clusters = [cluster(item.site, name, item.port) for item in backends for name in item.models]
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


def cluster(site: str, triton_name: str, port: int) -> Json:
    """A cluster that asks one variant of one site.

    The path is set on the way to the host and not before: a retry on another entry then asks for that entry's variant.
    """
    name = cluster_name(site, triton_name)
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


def route_configuration(origin: str, stages: Sequence[StageRoute], delay_us: Mapping[tuple[str, str], int]) -> Json:
    """All routes of an origin. `delay_us` by (origin, site); a pair that is missing has no delay."""
    unknown = f"unknown service or stage at origin {origin}: call /<service>/<stage>/v2/models/<model>/infer"
    routes = [_stage_route(item, delay_us) for item in sorted(stages) if item.origin == origin]
    return {
        "@type": f"{TYPE}.config.route.v3.RouteConfiguration",
        "name": origin,
        "response_headers_to_add": [{"header": {"key": SERVED_BY_HEADER, "value": "%UPSTREAM_CLUSTER%"}}],
        "virtual_hosts": [
            {
                "name": origin,
                "domains": ["*"],
                "routes": [*routes, {"match": {"prefix": "/"}, "direct_response": _answer(UNKNOWN_STATUS, unknown)}],
            }
        ],
    }


def _stage_route(stage: StageRoute, delay_us: Mapping[tuple[str, str], int]) -> Json:
    name = f"{stage.service}/{stage.stage}"
    counted = _typed(
        "local_ratelimit.v3.LocalRateLimit",
        stat_prefix=f"{stage.origin}/{name}",
        token_bucket={"max_tokens": UNLIMITED, "tokens_per_fill": UNLIMITED, "fill_interval": "1s"},
        filter_enabled={"default_value": {"numerator": 100}},
    )
    route: Json = {
        "match": {"prefix": f"/{name}/v2/models/"},
        "stat_prefix": name,
        "typed_per_filter_config": {"envoy.filters.http.local_ratelimit": counted},
    }
    if stage.entries:
        return {**route, "route": _weighted(stage, delay_us)}
    return {
        **route,
        "direct_response": _answer(UNAVAILABLE_STATUS, f"no route: {name} from {stage.origin}: no plan serves it now"),
    }


def _weighted(stage: StageRoute, delay_us: Mapping[tuple[str, str], int]) -> Json:
    clusters = [_entry(item, delay_us.get((stage.origin, item.site), 0)) for item in stage.entries]
    if stage.refused_weight:
        abort = {"http_status": REFUSED_STATUS, "percentage": {"numerator": 100}}
        own = _fault(abort=abort)
        clusters.append({"name": "refused", "weight": stage.refused_weight, "typed_per_filter_config": own})
    others = len({(item.site, item.triton_name) for item in stage.entries}) - 1
    action: Json = {
        "timeout": f"{REQUEST_TIMEOUT_S}s",
        "weighted_clusters": {"clusters": clusters, "header_name": DRAW_HEADER},
    }
    if others:
        action["retry_policy"] = {
            "retry_on": "connect-failure,reset,retriable-status-codes",
            "retriable_status_codes": [UNKNOWN_STATUS, UNAVAILABLE_STATUS],
            "num_retries": min(others, MAX_RETRIES),
            "refresh_cluster_on_retry": True,
            "retry_back_off": {"base_interval": "0.001s", "max_interval": "0.010s"},
        }
    return action


def _entry(entry: RouteEntry, delay: int) -> Json:
    weighted = {"name": cluster_name(entry.site, entry.triton_name), "weight": entry.weight}
    own: Json = {}
    if entry.compressed:
        own["envoy.filters.http.compressor"] = {"@type": f"{TYPE}.config.route.v3.FilterConfig", "config": {}}
    if delay:
        own |= _fault(delay={"fixed_delay": f"{delay / 1_000_000:.6f}s", "percentage": {"numerator": 100}})
    return {**weighted, "typed_per_filter_config": own} if own else weighted


def _fault(**fields: Json) -> Json:
    return {"envoy.filters.http.fault": _typed("fault.v3.HTTPFault", **fields)}


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
    return {"name": f"envoy.filters.http.{name}", "typed_config": _typed(kind, **fields)}


def _typed(kind: str, **fields: object) -> Json:
    return {"@type": f"{TYPE}.extensions.filters.http.{kind}", **fields}


def _answer(status: int, text: str) -> Json:
    return {"status": status, "body": {"inline_string": f"{text}\n"}}


def _address(port: int) -> Json:
    return {"socket_address": {"address": HOST, "port_value": port}}
