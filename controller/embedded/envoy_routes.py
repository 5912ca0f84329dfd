"""Envoy's routes from plain data: pure, so that a route change can be read before it is made.

The data path: a client calls `/<service>/<stage>/v2/models/<model>/infer` on its origin's listener. Envoy picks an
entry of the stage's weighted list by the request's draw (a header with a number, the same for all stages of one run, so
that a run stays on one path), waits out the WAN delay from origin to site, and asks the entry's variant at its site.
When a site cannot be reached or has no such variant, another entry of the same list serves; nothing outside the
list ever does. Where some entries are packed and others not, none stands in for another: a body is packed once, before
it is first sent, and what is tried again goes as it is.

Where requests may wait for a first entry, Envoy sends them to its own listener, marked, and tries again while that
answers 503: what is tried goes by the routes of the moment, and is not counted as having arrived once more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

TYPE = "type.googleapis.com/envoy"
FILTERS = "envoy.filters.http"
DRAW_HEADER = "x-gridwright-draw"
SERVED_BY_HEADER = "x-gridwright-served-by"
REQUEST_TIMEOUT_S = 10
MAX_RETRIES = 3
REFUSED_STATUS = 429
UNAVAILABLE_STATUS = 503
UNKNOWN_STATUS = 404
UNLIMITED = 1_000_000
HELD_HEADER = "x-gridwright-held"
HELD_TRIES_PER_S = 5
HELD_BACK_OFF_S = 0.5
"""At the most, between one try and the next, and half of it on average: `HELD_TRIES_PER_S` outlast the time to wait."""

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, order=True)
class RouteEntry:
    """One way to serve a stage; with `compressed`, the gateway sends payloads there as gzip.

    `node` names the server among those of a site that has one on each node.
    """

    site: str
    triton_name: str
    weight: int
    compressed: bool = False
    node: str = ""

    @property
    def cluster(self) -> str:
        """The cluster that serves it."""
        return cluster_name(self.site, self.triton_name, self.node)


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


def cluster_name(site: str, triton_name: str, node: str = "") -> str:
    """The name of the cluster that serves a variant at a site, or on one node of it."""
    return f"{site}/{node}/{triton_name}" if node else f"{site}/{triton_name}"


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
    counted = typed(
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
    action: Json = {
        "timeout": f"{REQUEST_TIMEOUT_S}s",
        "weighted_clusters": {"clusters": clusters, "header_name": DRAW_HEADER},
    }
    others = _stand_ins(stage.entries)
    if others:
        action["retry_policy"] = {
            "retry_on": "connect-failure,reset,retriable-status-codes",
            "retriable_status_codes": [UNKNOWN_STATUS, UNAVAILABLE_STATUS],
            "num_retries": min(others, MAX_RETRIES),
            "refresh_cluster_on_retry": True,
            "retry_back_off": {"base_interval": "0.001s", "max_interval": "0.010s"},
        }
    return action


def _stand_ins(entries: Sequence[RouteEntry]) -> int:
    """How many others may serve what one cannot: none where a packed body might go to one that takes it plain."""
    if len({item.compressed for item in entries}) > 1:
        return 0
    return len({item.cluster for item in entries}) - 1


def _entry(entry: RouteEntry, delay: int) -> Json:
    weighted = {"name": entry.cluster, "weight": entry.weight}
    own: Json = {}
    if entry.compressed:
        own[f"{FILTERS}.compressor"] = {"@type": f"{TYPE}.config.route.v3.FilterConfig", "config": {}}
    if delay:
        own |= _fault(delay={"fixed_delay": f"{delay / 1_000_000:.6f}s", "percentage": {"numerator": 100}})
    return {**weighted, "typed_per_filter_config": own} if own else weighted


def _fault(**fields: Json) -> Json:
    return {f"{FILTERS}.fault": typed("fault.v3.HTTPFault", **fields)}


def typed(kind: str, **fields: object) -> Json:
    """The configuration of an HTTP filter, named as Envoy names it."""
    return {"@type": f"{TYPE}.extensions.filters.http.{kind}", **fields}


def _answer(status: int, text: str) -> Json:
    return {"status": status, "body": {"inline_string": f"{text}\n"}}
