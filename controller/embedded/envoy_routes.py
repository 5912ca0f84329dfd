"""Envoy's configuration from plain data: pure, so that a route change can be read before it is made.

The data path: a client calls `/<service>/<stage>/v2/models/<model>/infer` on its origin's listener. Envoy picks an
entry of the stage's weighted list by the request's draw (a header with a number, the same for all stages of one run, so
that a run stays on one path), waits out the WAN delay from origin to site, and asks the entry's variant at its site.
When a site cannot be reached or has no such variant, another entry of the same list serves; nothing outside the
list ever does.

Where requests may wait for a first entry, Envoy sends them to its own listener, marked, and tries again while that
answers 503: what is tried goes by the routes of the moment, and is not counted as having arrived once more.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from controller.embedded.ports import HOST

TYPE = "type.googleapis.com/envoy"
FILTERS = "envoy.filters.http"
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
HELD_HEADER = "x-gridwright-held"
MOST_HELD = 100
"""Requests that wait for a first entry at once; others are refused."""
HELD_TRIES_PER_S = 5
HELD_BACK_OFF_S = 0.5
"""At the most, between one try and the next, and half of it on average: `HELD_TRIES_PER_S` outlast the time to wait."""
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

    `refused_weight` is the weight of the draws that are refused with 429. No entries: all is answered with 503, after
    requests have waited for up to `hold_s` seconds for entries.
    """

    origin: str
    service: str
    stage: str
    entries: tuple[RouteEntry, ...]
    refused_weight: int = 0
    hold_s: int = 0


def held_name(origin: str) -> str:
    """The name of the cluster that leads back to an origin's own listener."""
    return f"held/{origin}"


def cluster_name(site: str, triton_name: str) -> str:
    """The name of the cluster that serves a variant at a site."""
    return f"{site}/{triton_name}"


def bootstrap(
    admin_port: int, listeners: Mapping[str, int], route_folders: Mapping[str, str], backends: Iterable[Backend]
) -> Json:
    """Envoy's bootstrap: a listener an origin with routes from `<folder>/routes.json`, a cluster a variant and site."""
    clusters = [cluster(item.site, name, item.port) for item in backends for name in item.models]
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


def route_configuration(origin: str, stages: Sequence[StageRoute], delay_us: Mapping[tuple[str, str], int]) -> Json:
    """All routes of an origin. `delay_us` by (origin, site); a pair that is missing has no delay."""
    unknown = f"unknown service or stage at origin {origin}: call /<service>/<stage>/v2/models/<model>/infer"
    here = [item for item in sorted(stages) if item.origin == origin]
    routes = [route for item in here for route in _stage_routes(item, delay_us)]
    return {
        "@type": f"{TYPE}.config.route.v3.RouteConfiguration",
        "name": origin,
        "response_headers_to_add": [
            {"header": {"key": SERVED_BY_HEADER, "value": "%UPSTREAM_CLUSTER%"}, "append_action": "ADD_IF_ABSENT"}
        ],
        "virtual_hosts": [
            {
                "name": origin,
                "domains": ["*"],
                "routes": [*routes, {"match": {"prefix": "/"}, "direct_response": _answer(UNKNOWN_STATUS, unknown)}],
            }
        ],
    }


def _stage_routes(stage: StageRoute, delay_us: Mapping[tuple[str, str], int]) -> list[Json]:
    """The route of a stage; where requests may wait, also that of what is tried again."""
    name = f"{stage.service}/{stage.stage}"
    counted = _typed(
        "local_ratelimit.v3.LocalRateLimit",
        stat_prefix=f"{stage.origin}/{name}",
        token_bucket={"max_tokens": UNLIMITED, "tokens_per_fill": UNLIMITED, "fill_interval": "1s"},
        filter_enabled={"default_value": {"numerator": 100}},
    )
    match: Json = {"prefix": f"/{name}/v2/models/"}
    served = _served(stage, delay_us)
    arriving = {"match": match, "stat_prefix": name, "typed_per_filter_config": {f"{FILTERS}.local_ratelimit": counted}}
    if not stage.hold_s:
        return [{**arriving, **served}]
    again = {"match": {**match, "headers": [{"name": HELD_HEADER, "present_match": True}]}, **served}
    return [again, {**arriving, **(served if stage.entries else _held(stage))}]


def _served(stage: StageRoute, delay_us: Mapping[tuple[str, str], int]) -> Json:
    if stage.entries:
        return {"route": _weighted(stage, delay_us)}
    told = f"no route: {stage.service}/{stage.stage} from {stage.origin}: no plan serves it now"
    refused: Json = {"direct_response": _answer(UNAVAILABLE_STATUS, told)}
    if stage.hold_s:
        refused["response_headers_to_add"] = [{"header": {"key": "retry-after", "value": str(stage.hold_s)}}]
    return refused


def _held(stage: StageRoute) -> Json:
    """To the listener again and again, for `hold_s`; what is served at last may take as long as any request."""
    longest = f"{stage.hold_s + REQUEST_TIMEOUT_S}s"
    return {
        "request_headers_to_add": [{"header": {"key": HELD_HEADER, "value": "1"}}],
        "route": {
            "cluster": held_name(stage.origin),
            "timeout": longest,
            "idle_timeout": longest,
            "retry_policy": {
                "retry_on": "retriable-status-codes",
                "retriable_status_codes": [UNAVAILABLE_STATUS],
                "num_retries": stage.hold_s * HELD_TRIES_PER_S,
                "retry_back_off": {"base_interval": f"{HELD_BACK_OFF_S}s", "max_interval": f"{HELD_BACK_OFF_S}s"},
            },
        },
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
        own[f"{FILTERS}.compressor"] = {"@type": f"{TYPE}.config.route.v3.FilterConfig", "config": {}}
    if delay:
        own |= _fault(delay={"fixed_delay": f"{delay / 1_000_000:.6f}s", "percentage": {"numerator": 100}})
    return {**weighted, "typed_per_filter_config": own} if own else weighted


def _fault(**fields: Json) -> Json:
    return {f"{FILTERS}.fault": _typed("fault.v3.HTTPFault", **fields)}


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
    return {"name": f"{FILTERS}.{name}", "typed_config": _typed(kind, **fields)}


def _typed(kind: str, **fields: object) -> Json:
    return {"@type": f"{TYPE}.extensions.filters.http.{kind}", **fields}


def _answer(status: int, text: str) -> Json:
    return {"status": status, "body": {"inline_string": f"{text}\n"}}


def _address(port: int) -> Json:
    return {"socket_address": {"address": HOST, "port_value": port}}
