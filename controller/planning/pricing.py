"""What is predicted of paths: of the whole, of single stages, and until the response begins, where objectives ask."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from controller.performance.arrivals import STEADY, Burst
from controller.performance.pipeline import chains, path_latencies_us
from controller.planning.legs import Hops, Legs
from controller.planning.offers import Offers, offers_of
from controller.planning.options import Speeds
from controller.planning.sending import Sendings
from policy.resolved import Service, Stage
from rules.kernel.problem import WHOLE_PERMILLE, Demand, Path, Problem

Latencies = tuple[tuple[int, int], ...]
"""(percentile in basis points, latency in us)"""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Habits:
    """What was learnt of a demand: what its predictions are multiplied by, and how its rate swings."""

    margin_permille: int = WHOLE_PERMILLE
    burst: Burst = STEADY


class Views:
    """What paths of all demands are made from: a problem's options by model, and their legs."""

    def __init__(self, problem: Problem, speed: Speeds) -> None:
        self.problem = problem
        self.legs = Legs(problem, speed)
        self.sendings = Sendings(problem)
        self._offers: dict[str, Offers] = {}
        self._egress: dict[str, Floats] = {}

    def offers(self, model: str) -> Offers:
        """The options of a model."""
        if model not in self._offers:
            self._offers[model] = offers_of(self.problem, model)
        return self._offers[model]

    def egress_from(self, origin: str) -> Floats:
        """[sites]: what the way to each costs in millicents a GiB, in the order of the policy."""
        if origin not in self._egress:
            sites = (site.name for site in self.problem.policy.sites)
            links = (self.problem.link(origin, site) if site != origin else None for site in sites)
            self._egress[origin] = np.array([link.egress_from(origin) if link else 0 for link in links], np.float64)
        return self._egress[origin]

    def hops(self, demand: Demand, stage: Stage, here: Ints) -> Hops:
        """Options of a stage's model by number, each as often as there are ways to send the input there."""
        if not stage.encodings:
            return Hops(here, np.zeros(here.size, np.int64), np.zeros(here.size, np.bool_))
        options = self.offers(stage.model).options
        found = [
            (at, number, number != allowed)
            for at in here.tolist()
            for *barred, allowed in (self.sendings.of(demand, stage, options[at]),)
            for number in (*barred, allowed)
        ]
        rows = np.array(found, np.int64).reshape(-1, 3)
        return Hops(rows[:, 0], rows[:, 1], rows[:, 2].astype(np.bool_))


class Choices(NamedTuple):
    """The hops of a stage that may be taken, and the samples of each, [N, LEVELS].

    `first` are the samples until the stage's response begins; they are `samples` where no objective asks for them.
    """

    use: tuple[str, str]
    offers: Offers
    hops: Hops
    samples: Floats
    first: Floats


def choices(views: Views, demand: Demand, at: int, seen: Habits, hops: Hops) -> Choices:
    """These hops of the stage at that place of a demand's service."""
    service = views.problem.service_of(demand)
    stage = service.stages[at]
    samples = views.legs.of(at, demand, seen.burst, hops)
    asked = any(objective.of_first for objective in service.latency_from(demand.origin))
    first = views.legs.of(at, demand, seen.burst, hops, of_first=True) if asked else samples
    return Choices((demand.id, stage.name), views.offers(stage.model), hops, samples, first)


def priced(demand: Demand, service: Service, stages: list[Choices], chosen: Ints, seen: Habits) -> tuple[Path, ...]:
    """The paths that take these options, one row for each path."""
    if not chosen.size:
        return ()
    asked, margin_permille = service.latency_from(demand.origin), seen.margin_permille
    samples, first = [stage.samples for stage in stages], [stage.first for stage in stages]
    whole = _of_paths(service, samples, chosen, margin_permille)
    alone = _of_stages(service, {o.stage for o in asked if not o.of_first}, samples, chosen, margin_permille)
    begun = _of_stages(service, {o.stage for o in asked if o.of_first}, first, chosen, margin_permille)
    if any(objective.of_first and not objective.stage for objective in asked):
        ending = [each.first if is_last(service, each.use[1]) else each.samples for each in stages]
        until = _of_paths(service, ending, chosen, margin_permille)
        begun = [(("", of_path), *of_stages) for of_path, of_stages in zip(until, begun, strict=True)]
    names = [[each.offers.ids[at] for at in each.hops.option.tolist()] for each in stages]
    formats = [_formats(service.stages[at], each.hops) for at, each in enumerate(stages)]
    options = _each(names, chosen)
    encodings = [sent if any(sent) else () for sent in _each(formats, chosen)]
    ids = [path_id(demand.id, *each) for each in zip(options, encodings, strict=True)]
    return tuple(map(Path, ids, itertools.repeat(demand.id, len(ids)), options, whole, alone, begun, encodings))


def _each(words: list[list[str]], chosen: Ints) -> list[tuple[str, ...]]:
    """For each path, the words of its stages."""
    columns = zip(words, chosen.T.tolist(), strict=True)
    return list(zip(*([here[at] for at in column] for here, column in columns), strict=True))


def path_id(demand: str, options: tuple[str, ...], encodings: tuple[str, ...] = ()) -> str:
    """What the path of a demand over these options is called, with how its inputs are sent."""
    told = options
    if encodings:
        told = tuple(f"{name} as {form}" if form else name for name, form in zip(options, encodings, strict=True))
    return f"{demand}: {' | '.join(told)}"


def _formats(stage: Stage, hops: Hops) -> list[str]:
    """By use, the name of the encoding; empty for as it is."""
    names = ("", *(each.format for each in stage.encodings))
    return [names[number] for number in hops.sent.tolist()]


def is_last(service: Service, stage: str) -> bool:
    """Whether no stage comes after the one of that name: its response is what the caller waits for."""
    return not any(stage in each.after for each in service.stages)


def _of_paths(service: Service, samples: Sequence[Floats], chosen: Ints, margin_permille: int) -> list[Latencies]:
    found = path_latencies_us(chains(service.stages), samples, chosen)
    return [_with_margin(latency_us, margin_permille) for latency_us in found]


def _of_stages(
    service: Service, asked: set[str], samples: Sequence[Floats], chosen: Ints, margin_permille: int
) -> list[tuple[tuple[str, Latencies], ...]]:
    """For each path, the latencies of those of its stages that are asked for, by name."""
    known = {}
    for at, stage in enumerate(service.stages):
        if stage.name in asked:
            alone = path_latencies_us(((0,),), [samples[at]], np.arange(len(samples[at])).reshape(-1, 1))
            known[at] = [_with_margin(latency_us, margin_permille) for latency_us in alone]
    rows = chosen.tolist()
    return [tuple((service.stages[at].name, each[row[at]]) for at, each in known.items()) for row in rows]


def _with_margin(latency_us: Latencies, margin_permille: int) -> Latencies:
    if margin_permille == WHOLE_PERMILLE:
        return latency_us
    return tuple((bp, value_us * margin_permille // WHOLE_PERMILLE) for bp, value_us in latency_us)
