"""What happens to a fleet, so that there are transitions: other rates or bounds, nodes that are lost or cordoned."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from policy.documents import API_VERSION
from tests.cluster.killing.ground import NODES, Ground

RATES = {"vault/payments/judge": (30, 60, 100), "hall/talk/answer": (60, 110, 170)}
SITE_OF = {"fraud": "vault", "chat": "hall"}
"""Where instances are bound to be. Elsewhere an instance that nobody's requests go to would be within a bound, too."""
BOUNDS = (2, 3, 4, 5)


@dataclass
class Changes:
    """One change after another; each says what it was."""

    ground: Ground
    dice: random.Random
    nodes: dict[str, list[str]] = field(default_factory=dict)
    _names: Any = field(default_factory=lambda: count(100))
    _least: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.nodes = {pool: [f"{pool}-{number}" for number in range(most)] for pool, most in NODES.items()}

    def begin(self) -> None:
        """Have the first requests come."""
        self.ground.offer({name: rates[0] for name, rates in RATES.items()})

    def one(self) -> str:
        """Have something happen, or two things at once; what it was."""
        ways: tuple[Callable[[], str], ...] = (self._rate, self._bound, self._bound, self._lost, self._cordoned)
        return ", ".join(way() for way in self.dice.sample(ways, self.dice.randint(1, 2)))

    def _rate(self) -> str:
        name = self.dice.choice(sorted(RATES))
        rate = self.dice.choice(RATES[name])
        self.ground.offer({name: rate})
        return f"{name} has {rate} requests a second"

    def _bound(self) -> str:
        model = self.dice.choice(sorted(SITE_OF))
        least = self.dice.choice([each for each in BOUNDS if each != self._least.get(model)])
        self._least[model] = least
        least_of = sorted(self._least.items())
        bounds = [{"model": each, "site": SITE_OF[each], "min": number, "max": 8} for each, number in least_of]
        self.ground.server.patch(f"/apis/{API_VERSION}/scalingpolicies/pace", {"spec": {"bounds": bounds}})
        return f"{model} has at least {least} instances"

    def _lost(self) -> str:
        pool = self.dice.choice(sorted(self.nodes))
        name = self.nodes[pool].pop(self.dice.randrange(len(self.nodes[pool])))
        other = f"{pool}-{next(self._names)}"
        self.nodes[pool].append(other)
        self.ground.lose_node(name)
        self.ground.add_node(other, pool)
        return f"{name} is lost, and {other} comes"

    def _cordoned(self) -> str:
        pool = self.dice.choice(sorted(self.nodes))
        name = self.dice.choice(self.nodes[pool])
        for each in self.nodes[pool]:
            self.ground.server.patch(f"/api/v1/nodes/{each}", {"spec": {"unschedulable": each == name or None}})
        return f"{name} is cordoned, and no other of {pool}"
