"""What holding engines to trying everything comes to, on one instance and on many."""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

NEAR: Final = 1e-6
"""Dollars an hour, or a part of them: costs that differ by less are equal."""


class Engine(NamedTuple):
    """What one engine found: the part by which its plan costs more than the best, infinite where it missed every plan.

    Of a bound it is the part by which it is less; where there is no plan, giving none is as good as it gets.
    """

    name: str
    gap: float


class Tried(NamedTuple):
    """One instance: what is wrong, what each engine found, and the rules in play with those that bind.

    A rule binds when the best plan without it is cheaper, or exists at all.
    """

    wrong: tuple[str, ...]
    engines: tuple[Engine, ...]
    is_possible: bool = True
    rules: tuple[str, ...] = ()
    binding: tuple[str, ...] = ()


def close(one: float, other: float, near: float = NEAR) -> bool:
    """Whether two costs are equal."""
    return math.isclose(one, other, rel_tol=near, abs_tol=near)


def gap(cost: float, least: float) -> float:
    """The part by which a cost is above the least; what costs nothing at best is compared with a dollar."""
    return 0.0 if close(cost, least) else (cost - least) / (least or 1.0)


@dataclass
class Tally:
    """Many instances of one kind."""

    instances: int = 0
    impossible: int = 0
    gaps: dict[str, list[float]] = field(default_factory=dict)
    in_play: Counter[str] = field(default_factory=Counter)
    binding: Counter[str] = field(default_factory=Counter)
    failed: list[tuple[int, tuple[str, ...]]] = field(default_factory=list)

    def add(self, seed: int, tried: Tried) -> None:
        """Count one more."""
        self.instances += 1
        self.impossible += not tried.is_possible
        for engine in tried.engines:
            self.gaps.setdefault(engine.name, []).append(engine.gap)
        self.in_play.update(tried.rules)
        self.binding.update(tried.binding)
        if tried.wrong:
            self.failed.append((seed, tried.wrong))

    def by_engine(self) -> Iterator[tuple[str, dict[str, float]]]:
        """How many instances each engine worked on, how many it solved to the best, found nothing for, and its gaps."""
        for name, gaps in sorted(self.gaps.items()):
            found = sorted(each for each in gaps if each < math.inf)
            yield (
                name,
                {
                    "instances": len(gaps),
                    "equal": sum(each == 0 for each in found),
                    "none": len(gaps) - len(found),
                    "mean_gap_percent": round(100 * sum(found) / max(1, len(found)), 4),
                    "worst_gap_percent": round(100 * max(found, default=0.0), 3),
                },
            )

    def summary(self) -> dict[str, object]:
        """All of it."""
        return {
            "instances": self.instances,
            "impossible": self.impossible,
            "failed": len(self.failed),
            "failing_seeds": [seed for seed, _ in self.failed[:20]],
            "engines": dict(self.by_engine()),
            "rules": {name: {"in_play": self.in_play[name], "binding": self.binding[name]} for name in self.in_play},
        }
