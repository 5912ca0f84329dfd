"""How the requests of a stage are parted over servers, as far as routes of the Gateway API can say it.

A rule of a route parts what it matches by weights, over at most 16 Services, and rewrites a path for all of them alike.
So one rule is enough where a stage calls one variant on up to 16 servers, and where nothing has to stay together: each
stage is drawn for by itself. Elsewhere rules match ranges of the draw that callers send, the same ones in each stage.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from controller.acting.envoy_stages import services_of, stage_routes
from controller.embedded.envoy_routes import RouteEntry, StageRoute
from controller.fleet import RouteSet
from policy.resolved import Policy

MOST_BACKENDS: Final = 16
"""Of a rule, as the schema of routes has it."""

Server = tuple[str, str]
"""A pool and a node of it."""


@dataclass(frozen=True, slots=True)
class Share:
    """The requests with draws from `start` to below `end`, and what serves them by weight.

    They call the variant `model`, which is empty where all are refused; `refused` is the weight of those that are.
    """

    start: int
    end: int
    model: str
    servers: tuple[tuple[Server, int], ...]
    refused: int = 0


@dataclass(frozen=True, slots=True)
class PartedStage:
    """A stage's requests in shares. Draws are from 0 to below `whole`, a power of ten; for one share none is needed."""

    stage: str
    whole: int
    shares: tuple[Share, ...]

    @property
    def by_draw(self) -> bool:
        """Whether its shares are told apart by draws."""
        return len(self.shares) > 1

    @property
    def models(self) -> frozenset[str]:
        """The variants that it calls."""
        return frozenset(share.model for share in self.shares if share.model)


def parted_stages(routes: RouteSet, policy: Policy) -> tuple[PartedStage, ...]:
    """The stages of a demand, each with its weights exactly as the plan has them; what gets none is left out."""
    return tuple(_stage(routes, each) for each in stage_routes((routes,), services_of(policy)))


def is_bound(routes: RouteSet) -> bool:
    """Whether what a request of one stage takes decides for the others: ways that differ in several, or refused runs.

    Drawn for stage by stage, a run could mix ways, which the plan does not have; or be refused half done.
    """
    stages = list(zip(*(way.placements for way in routes.ways), strict=True))
    differing = sum(len(set(placements)) > 1 for placements in stages)
    is_refused = bool(routes.ways) and sum(way.weight_permille for way in routes.ways) < 1000  # noqa: PLR2004 - the whole
    return differing > 1 or (is_refused and len(stages) > 1)


def _stage(routes: RouteSet, stage: StageRoute) -> PartedStage:
    whole = sum(entry.weight for entry in stage.entries) + stage.refused_weight
    entries = [entry for entry in stage.entries if entry.weight]
    together = _share(0, entries, stage.refused_weight)
    fits = len(together.servers) + (together.refused > 0) <= MOST_BACKENDS
    if not entries:
        return PartedStage(stage.stage, whole, (Share(0, whole, "", (), whole),))
    if fits and len({entry.triton_name for entry in entries}) == 1 and not is_bound(routes):
        return PartedStage(stage.stage, whole, (together,))
    ends = _ends(routes, whole) if is_bound(routes) else frozenset()
    return PartedStage(stage.stage, whole, tuple(_shares(entries, ends, stage.refused_weight)))


def _ends(routes: RouteSet, whole: int) -> frozenset[int]:
    """The draws at which each way ends."""
    each = whole // 1000
    return frozenset(itertools.accumulate(way.weight_permille * each for way in routes.ways))


def _shares(entries: list[RouteEntry], ends: frozenset[int], refused: int) -> Iterator[Share]:
    """Neighbours in one share as long as they call one variant, are few enough, and are of one way where ways bind."""
    start = at = 0
    taken: list[RouteEntry] = []
    for entry in entries:
        is_full = len({_server(each) for each in (*taken, entry)}) > MOST_BACKENDS
        if taken and (entry.triton_name != taken[0].triton_name or at in ends or is_full):
            yield _share(start, taken, 0)
            start, taken = at, []
        taken.append(entry)
        at += entry.weight
    yield _share(start, taken, 0)
    if refused:
        yield Share(at, at + refused, "", (), refused)


def _share(start: int, entries: list[RouteEntry], refused: int) -> Share:
    servers: dict[Server, int] = {}
    for entry in entries:
        servers[_server(entry)] = servers.get(_server(entry), 0) + entry.weight
    model = entries[0].triton_name if entries else ""
    return Share(start, start + sum(servers.values()) + refused, model, tuple(servers.items()), refused)


def _server(entry: RouteEntry) -> Server:
    return entry.site, entry.node
