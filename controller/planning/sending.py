"""In which encodings the input of a stage is sent to an option: the quickest, or cheapest, that everybody lets it be.

It depends on no load, so it is settled for each option before paths are made, and no engine chooses. Where a floor or a
profile bars what would be preferred, a path is made of that as well: rules exclude it, and so explanations
know what the clause costs.
"""

from typing import Final

from controller.planning.network import sending_us
from policy.resolved import Fidelity, Link, Prefer, Stage
from rules.kernel.problem import Demand, Option, Path, Problem
from rules.kernel.sending import Sent, as_admitted, objections

AS_IT_IS: Final = 0
"""The number of no encoding; those of a stage are counted from 1."""


class Sendings:
    """The encodings to look at, of all demands of a problem."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._known: dict[tuple[str, str, str, int], tuple[int, ...]] = {}

    def of(self, demand: Demand, stage: Stage, option: Option) -> tuple[int, ...]:
        """The one that is barred and would be preferred, if any, and the one preferred of the others: the last."""
        site = self._problem.site_of(option)
        link = self._problem.link(demand.origin, site) if stage.encodings and site != demand.origin else None
        if link is None:
            return (AS_IT_IS,)
        key = (demand.id, stage.name, site, option.accuracy_ppm)
        if key not in self._known:
            self._known[key] = self._looked_for(demand, stage, option, link)
        return self._known[key]

    def _looked_for(self, demand: Demand, stage: Stage, option: Option, link: Link) -> tuple[int, ...]:
        crossing = [number for number, each in enumerate(stage.encodings, 1) if link.admits(each)]
        best, *others = sorted((AS_IT_IS, *crossing), key=lambda number: _rank(demand.origin, link, stage, number))
        chosen = next(number for number in (best, *others) if not self._is_barred(demand, stage, option, number))
        return (chosen,) if chosen == best else (best, chosen)

    def _is_barred(self, demand: Demand, stage: Stage, option: Option, number: int) -> bool:
        if number == AS_IT_IS:
            return False
        return any(objections(self._problem, Sent(demand, stage, option, stage.encodings[number - 1])))


def by_options(problem: Problem) -> dict[tuple[str, tuple[str, ...]], Path]:
    """The path of each demand over each choice of options; of those that differ in encodings, the one that may be."""
    return {(path.demand, path.options): path for path in problem.paths if as_admitted(problem, path)}


def _rank(origin: str, link: Link, stage: Stage, number: int) -> tuple[int, int, int, str]:
    """The cheapest to send first where that is preferred, then the quickest, then the truest, then by name."""
    encoding = stage.encodings[number - 1] if number else None
    name, fidelity = (encoding.format, encoding.fidelity) if encoding else ("", Fidelity.VERBATIM)
    price = link.egress_from(origin) if stage.prefer is Prefer.CHEAPEST else 0
    return price * stage.sent_bytes(name), sending_us(link, stage, name), -fidelity.strength, name
