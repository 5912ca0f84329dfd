"""How much instances on one device slow each other down: learnt by pairs, and bounded where nothing is known.

While instances of j compute beside it, a variant's executions take 1 + sum_j beta_j * u_j times as long, where u_j is
how many instances of j are busy on the same device, on average. Over windows in which the neighbours are more and less
busy this is a linear regression of the time that executions took on (1, u_1, u_2, ...): recursive least squares, with
forgetting, kept as sums so that the prior is not forgotten with the past.

Two things bound a beta. It is never negative: no neighbour makes anything faster. And it is never above 1: n busy
instances that share a device leave each at least 1 / n of it (processor sharing).

What is to be expected of a pair that was never seen follows from the shares of the device that their profiles state: an
instance that computes wants the device for that part of the time. For the victim's part s_i a busy neighbour wants it
too for a part s_j, and then each gets half: beta = s_i * s_j, which is the bound where both want the whole device.

Windows in which a neighbour was always equally busy do not tell what it costs, only what variant and neighbour come to
together. So two betas are kept. Up to what it was seen beside, the smaller one counts, drawn to 0 by the prior: what
the neighbour costs is in the times that were counted. Beyond, the larger one counts, drawn to what is to be expected.
With enough windows of different load the two are the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from controller.decision import Effect, Interference
from controller.performance.bounded_regression import HIGHEST, Floats, bounded_slopes, packed, unpacked

Name = tuple[str, str]
"""(model, variant)"""
Key = tuple[str, str, str]
"""(model, variant, device)"""
Company = Mapping[Name, float]
"""How many instances of each variant are busy beside one, on average."""

FORGETTING: Final = 0.98
"""What a window weighs beside the one after it: some 50 windows count."""
FEW_EXECUTIONS: Final = 20
"""With so many executions a window weighs half of one with very many."""
MOST_NEIGHBOURS: Final = 8
"""The busiest neighbours that are told apart; more would say more of the noise."""
GONE: Final = 1e-4
BAND_PERMILLE: Final = 30
"""Effects that differ less from those in use change nothing, so that plans do not wander with noise."""


@dataclass(frozen=True, slots=True)
class Effects:
    """What is known of every variant on every device, and the parts of devices that their profiles state."""

    known: Mapping[Key, Interference]
    shares: Mapping[Key, float]

    def slowdown(self, key: Key, company: Company, wanted: float | None = None) -> float:
        """How many times longer executions take in this company than alone; exactly 1 without company.

        `wanted` is what the company wants of the device, for who asks about many variants in the same company.
        """
        known = self.known.get(key)
        if known is None:
            return 1.0 + self._share(key) * (self.wanted(company, key[2]) if wanted is None else wanted)
        effects = {(effect.model, effect.variant): effect for effect in known.used}
        return 1.0 + sum(
            _excess(effects.get(name), busy, self.expected(key, name)) for name, busy in sorted(company.items())
        )

    def wanted(self, company: Company, device: str) -> float:
        """The part of a device that a company wants on average; above 1 where it wants more."""
        return sum(busy * self._share((*name, device)) for name, busy in sorted(company.items()))

    def _share(self, key: Key) -> float:
        return min(HIGHEST, self.shares.get(key, HIGHEST))

    def expected(self, key: Key, neighbour: Name) -> float:
        """The beta of a pair that was never seen; what has no profile may want the whole device."""
        return self._share(key) * self._share((*neighbour, key[2]))

    def observed(self, key: Key, company: Company, ratio: float, executions: int) -> Interference:
        """What is known after a window of so many executions that took `ratio` times what the profile says."""
        known = self.known.get(key, Interference(*key))
        beside, sums = _with_places(known, company)
        row = np.array([1.0, *(company.get(name, 0.0) for name in beside), ratio])
        sums = FORGETTING * sums + executions / (executions + FEW_EXECUTIONS) * np.outer(row, row)
        found = _effects(beside, sums, [self.expected(key, name) for name in beside])
        used = found if _moved(known.used, found) else known.used
        return Interference(*key, beside, packed(sums), used)


def _excess(effect: Effect | None, busy: float, expected: float) -> float:
    if effect is None:
        return busy * expected
    seen = effect.seen_permille / 1000
    return (min(busy, seen) * effect.least_permille + max(0.0, busy - seen) * effect.most_permille) / 1000


def _with_places(known: Interference, company: Company) -> tuple[tuple[Name, ...], Floats]:
    """The neighbours to tell apart and their sums: new ones were never busy before, and those long gone go."""
    sums = unpacked(known.sums)
    places = {name: at for at, name in enumerate(known.beside, 1)}
    busy = {name: float(sums[at, at]) for name, at in places.items()}
    for name, now in company.items():
        busy[name] = busy.get(name, 0.0) + now**2
    most = sorted(busy, key=lambda name: (-busy[name], name))[:MOST_NEIGHBOURS]
    kept = tuple(sorted(name for name in most if busy[name] > GONE))
    with_new = np.pad(sums, (0, 1))
    order = [0, *(places.get(name, len(sums)) for name in kept), len(sums) - 1]
    return kept, with_new[np.ix_(order, order)]


def _effects(beside: Sequence[Name], sums: Floats, expected: Sequence[float]) -> tuple[Effect, ...]:
    """The effect of each neighbour: the smaller one drawn to nothing, the larger one to what is to be expected."""
    least = bounded_slopes(sums, np.zeros(len(beside)))
    most = np.maximum(least, bounded_slopes(sums, np.asarray(expected, np.float64)))
    seen = sums[0, 1:-1] / sums[0, 0]
    columns = (np.rint(1000 * values).astype(int).tolist() for values in (seen, least, most))
    return tuple(Effect(*name, *values) for name, *values in zip(beside, *columns, strict=True))


def _moved(before: tuple[Effect, ...], after: tuple[Effect, ...]) -> bool:
    if [(item.model, item.variant) for item in before] != [(item.model, item.variant) for item in after]:
        return True
    return any(
        abs(old.seen_permille - new.seen_permille) > BAND_PERMILLE
        or abs(old.least_permille - new.least_permille) > BAND_PERMILLE
        or abs(old.most_permille - new.most_permille) > BAND_PERMILLE
        for old, new in zip(before, after, strict=True)
    )
