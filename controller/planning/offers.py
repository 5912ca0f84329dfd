"""The options of a model as arrays: what orders them alike for every demand."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rules.kernel.problem import Option, Problem


class Offers(NamedTuple):
    """[N] options in the problem's order."""

    options: tuple[Option, ...]
    ids: tuple[str, ...]
    price: NDArray[np.float64]
    """What an instance's share of its node costs, in millicents an hour, over what the instance may be given."""
    place: NDArray[np.int64]
    """In the order of their ids, which settles ties."""

    def among(self, ids: frozenset[str] | set[str]) -> NDArray[np.bool_]:
        """[N]: which of them are among these."""
        if not ids:
            return np.zeros(len(self.options), np.bool_)
        return np.fromiter(map(ids.__contains__, self.ids), np.bool_, len(self.ids))


def offers_of(problem: Problem, model: str) -> Offers:
    """The options of a model."""
    options = problem.options_of(model)
    place = np.empty(len(options), np.int64)
    ids = tuple(option.id for option in options)
    place[sorted(range(len(ids)), key=ids.__getitem__)] = np.arange(len(ids))
    return Offers(options, ids, np.array([_price_of_call(problem, option) for option in options], np.float64), place)


def _price_of_call(problem: Problem, option: Option) -> float:
    pool = problem.pool_of(option)
    return pool.price_millicents_per_hour * option.share_permille / pool.share_permille / option.capacity_milli_rps
