"""Payloads on their way: in which encodings a path sends them, and what is against that."""

from collections.abc import Iterator
from dataclasses import dataclass

from policy.findings import Place
from policy.resolved import Encoding, Stage
from rules.kernel.problem import Demand, Option, Path, Problem
from rules.kernel.quantities import percent_of_ppm


@dataclass(frozen=True, slots=True)
class Sent:
    """A stage of a demand whose input is sent to an option in an encoding."""

    demand: Demand
    stage: Stage
    option: Option
    encoding: Encoding


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a payload may not be sent so, and the clause that says so."""

    reason: str
    place: Place


def encoded(problem: Problem, path: Path) -> Iterator[Sent | Objection]:
    """The stages of a path whose inputs are not sent as they are; an objection for an encoding that none declares."""
    demand = problem.demand(path.demand)
    stages = problem.service_of(demand).stages if path.encodings else ()
    for at, (stage, name) in enumerate(zip(stages, path.encodings, strict=True)):
        encoding = stage.encoding(name)
        if encoding:
            yield Sent(demand, stage, problem.option(path.options[at]), encoding)
        elif name:
            yield Objection(f"stage {stage.name} declares no encoding {name}", stage.place)


def unadmitted(problem: Problem, sent: Sent) -> Iterator[Objection]:
    """What a Link does not admit, and what would leave less accuracy than the service's floor."""
    site, name = problem.site_of(sent.option), sent.encoding.format
    link = problem.link(sent.demand.origin, site)
    if link is None or not link.admits(sent.encoding):
        place = link.place if link else sent.stage.place
        yield Objection(f"no Link between {sent.demand.origin} and {site} admits {name}", place)
    floor, left_ppm = problem.service_of(sent.demand).accuracy, sent.option.accuracy_ppm - sent.encoding.loses_ppm
    if floor and sent.encoding.loses_ppm and left_ppm < floor.floor_ppm:
        told = f"accuracy {percent_of_ppm(left_ppm)} as {name} is below the floor of {percent_of_ppm(floor.floor_ppm)}"
        yield Objection(f"stage {sent.stage.name}: {told}", floor.place)


def unfaithful(problem: Problem, sent: Sent) -> Iterator[Objection]:
    """The clauses of profiles that cover the stage and ask for more fidelity."""
    service = problem.service_of(sent.demand)
    for profile in problem.policy.compliance:
        clause = profile.payloads
        if clause is None or sent.encoding.fidelity.strength >= clause.fidelity.strength:
            continue
        if sent.stage in problem.covered(profile, service):
            yield Objection(
                f"stage {sent.stage.name} is sent as {sent.encoding.format}, not {clause.fidelity}", clause.place
            )


def objections(problem: Problem, sent: Sent) -> Iterator[Objection]:
    """All that is against sending it so."""
    yield from unadmitted(problem, sent)
    yield from unfaithful(problem, sent)


def as_admitted(problem: Problem, path: Path) -> bool:
    """Whether nothing is against how a path sends its payloads."""
    return not path.encodings or all(
        isinstance(sent, Sent) and not any(objections(problem, sent)) for sent in encoded(problem, path)
    )
