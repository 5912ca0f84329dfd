"""What an example of a rule is: a tiny problem, a plan on the limit, a plan one step over it, and hand-made numbers."""

import importlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from rules.catalogue import RULES
from rules.kernel.plan import Plan
from rules.kernel.problem import Problem
from rules.kernel.rule import Violation
from tests.rules.build import plan


@dataclass(frozen=True)
class Domain:
    """The values that every plan of a tiny problem is made of."""

    counts: tuple[int, ...] = (0, 1, 2)
    shares: tuple[int, ...] = (0, 500, 1000)
    refused: tuple[int, ...] = (0,)
    levels: tuple[int, ...] = (0,)

    def plans(self, problem: Problem) -> Iterator[Plan]:
        """Every plan; zeros are written out, so that a written zero is tried as well."""
        keys = [
            (option.id, node.name) for option in problem.options for node in problem.nodes_of(option.placement.pool)
        ]
        paths, demands = [path.id for path in problem.paths], [demand.id for demand in problem.demands]
        services = [service.name for service in problem.policy.services]
        for counts in itertools.product(self.counts, repeat=len(keys)):
            for shares in itertools.product(self.shares, repeat=len(paths)):
                for refused in itertools.product(self.refused, repeat=len(demands)):
                    for levels in itertools.product(self.levels, repeat=len(services)):
                        yield plan(
                            dict(zip(keys, counts, strict=True)),
                            dict(zip(paths, shares, strict=True)),
                            dict(zip(demands, refused, strict=True)),
                            dict(zip(services, levels, strict=True)),
                        )


@dataclass(frozen=True)
class Example:
    """One case of one rule.

    `spared` are problems of which the rule asks nothing, though `over_limit` is a plan of them. `reasons` are those of
    all exclusions that the rule writes for the problem. `beside` names the rules whose rows its own refer to.
    """

    name: str
    problem: Problem
    on_limit: Plan
    over_limit: Plan
    violation: Violation
    message: str
    spared: tuple[Problem, ...]
    reasons: tuple[str, ...] = ()
    domain: Domain = Domain()
    beside: tuple[str, ...] = ()


def cases() -> list[Any]:
    """Every rule with each of its examples, as parameters of a test."""
    return [
        pytest.param(rule, example, id=f"{rule.id}: {example.name}")
        for rule in RULES
        for example in importlib.import_module(f"tests.rules.examples.{rule.id}").EXAMPLES
    ]
