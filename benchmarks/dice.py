"""What generated problems are drawn with: the same seed draws the same."""

from typing import TypeVar

import numpy as np

Chosen = TypeVar("Chosen")


class Dice:
    """What is drawn, in words."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def says(self, chance: float) -> bool:
        """Yes with this probability."""
        return bool(self.rng.random() < chance)

    def within(self, least: int, most: int) -> int:
        """A whole number from least to most."""
        return int(self.rng.integers(least, most + 1))

    def one(self, items: tuple[Chosen, ...]) -> Chosen:
        """One of these."""
        return items[self.within(0, len(items) - 1)]

    def some(self, items: list[Chosen], most: int) -> list[Chosen]:
        """At most so many, in their order."""
        chosen = set(self.rng.permutation(len(items))[:most].tolist())
        return [item for at, item in enumerate(items) if at in chosen]
