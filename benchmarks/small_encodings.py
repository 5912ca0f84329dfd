"""Inputs of tiny problems that are packed or lowered on some paths, which a link, a floor or a profile may bar."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from dice import Dice

from policy.clauses import PayloadClause
from policy.findings import Place
from policy.resolved import AccuracyObjective, Encoding, Fidelity, Service
from rules.kernel.problem import Path, Problem

HERE: Final = Place("generated", 1, 1)
NAMES: Final = ("", "", "gzip", "fp16")
LOST_PPM: Final = 10_000
FLOORS_PPM: Final = (940_000, 940_001, 890_001)
"""What is left of the variants' 95 % is the first of them exactly, and of their 90 % too little for the last."""


def encoded(dice: Dice, problem: Problem) -> Problem:
    """The problem with encodings now and then. Its dice are its own: what else is drawn from a seed stays the same."""
    if not dice.says(0.4):
        return problem
    policy = problem.policy
    services = tuple(_with_encodings(dice, each) for each in policy.services)
    links = tuple(
        replace(
            each,
            compressions=dice.one((("gzip",), ("gzip",), ())),
            precisions=dice.one((("fp16",), ("fp16",), ("gzip",))),
        )
        for each in policy.links
    )
    profiles = tuple(
        replace(each, payloads=PayloadClause(dice.one(tuple(Fidelity)), HERE)) if dice.says(0.6) else each
        for each in policy.compliance
    )
    policy = replace(policy, services=services, links=links, compliance=profiles)
    asked = replace(problem, policy=policy)
    names = {
        use: dice.one(NAMES) for use in dict.fromkeys(each for path in problem.paths for each in _hops(asked, path))
    }
    return replace(asked, paths=tuple(_sent(asked, path, names) for path in problem.paths))


def _with_encodings(dice: Dice, service: Service) -> Service:
    floor = AccuracyObjective(dice.one(FLOORS_PPM), HERE) if dice.says(0.3) else service.accuracy
    stages = tuple(
        replace(
            stage,
            encodings=(
                Encoding("gzip", Fidelity.LOSSLESS, stage.payload_bytes * 2 // 3, 10, 0, HERE),
                Encoding("fp16", Fidelity.LOWERED, stage.payload_bytes // 2, 10, LOST_PPM, HERE),
            ),
        )
        for stage in service.stages
    )
    return replace(service, stages=stages, accuracy=floor)


def _hops(problem: Problem, path: Path) -> list[tuple[str, int, str]]:
    """The demand, the place and the option of each stage for which a path leaves its origin."""
    origin = problem.demand(path.demand).origin
    return [
        (path.demand, at, option)
        for at, option in enumerate(path.options)
        if problem.site_of(problem.option(option)) != origin
    ]


def _sent(problem: Problem, path: Path, names: Mapping[tuple[str, int, str], str]) -> Path:
    """The path with encodings: an option has the same on all paths of a demand, for options are tried one by one."""
    hops = {at: names[demand, at, option] for demand, at, option in _hops(problem, path)}
    encodings = tuple(hops.get(at, "") for at in range(len(path.options)))
    return path._replace(encodings=encodings if any(encodings) else ())
