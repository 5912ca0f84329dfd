"""Names within a Service that lead to another part of it: stages, and origins."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from policy.catalogue import error
from policy.documents.placement import PlacementSpec
from policy.documents.service import ObjectiveSpec, ServiceSpec
from policy.findings import Finding
from policy.validate import Valid
from policy.words import shown, suggestion


@dataclass(frozen=True, slots=True)
class Inner:
    """A name of a stage or an origin, and the path of keys to where it stands."""

    what: str
    name: str
    path: tuple[str | int, ...]


def unknown_inside(valid: Valid) -> Iterator[Finding]:
    """Stages and origins that the service does not have."""
    if not isinstance(valid.spec, ServiceSpec):
        return
    known = {
        "stage": {stage.name for stage in valid.spec.stages},
        "origin": {origin.site for origin in valid.spec.origins},
    }
    for inner in _inner(valid.spec):
        if inner.name not in known[inner.what]:
            field = next(part for part in reversed(inner.path) if isinstance(part, str))
            hint = suggestion(inner.name, _others(valid.spec, inner, known[inner.what]), f"leave `{field}` out")
            message = f"{valid.name} has no {inner.what} {shown(inner.name)}"
            yield error("GW0302", valid.place(*inner.path), message, hint)


def _others(spec: ServiceSpec, inner: Inner, known: Collection[str]) -> set[str]:
    """What may have been meant: a stage never comes after itself."""
    own = spec.stages[inner.path[1]].name if inner.path[0] == "stages" and isinstance(inner.path[1], int) else ""
    return {name for name in known if name != own}


def _inner(spec: ServiceSpec) -> Iterator[Inner]:
    for index, stage in enumerate(spec.stages):
        for at, before in enumerate(stage.after):
            yield Inner("stage", before, ("stages", index, "after", at))
    for index, objective in enumerate(spec.objectives):
        yield from _of_objective(objective, ("objectives", index))
    for index, clause in enumerate(spec.placement):
        yield from _of_placement(clause, ("placement", index))


def _of_objective(objective: ObjectiveSpec, path: tuple[str | int, ...]) -> Iterator[Inner]:
    if objective.latency and objective.latency.origin is not None:
        yield Inner("origin", objective.latency.origin, (*path, "latency", "origin"))
    if objective.latency and objective.latency.stage is not None:
        yield Inner("stage", objective.latency.stage, (*path, "latency", "stage"))
    if objective.throughput and objective.throughput.origin is not None:
        yield Inner("origin", objective.throughput.origin, (*path, "throughput", "origin"))


def _of_placement(clause: PlacementSpec, path: tuple[str | int, ...]) -> Iterator[Inner]:
    for word, part in (("among", clause.among), ("outside", clause.outside), ("together", clause.together)):
        for at, name in enumerate(part.stages if part else ()):
            yield Inner("stage", name, (*path, word, "stages", at))
