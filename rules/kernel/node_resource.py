"""Rules on what the instances of one node use together of its device."""

from abc import ABC, abstractmethod
from collections import Counter, defaultdict
from collections.abc import Iterable

from policy.findings import Finding
from policy.resolved import Pool
from rules.kernel.formulation import Formulation, Resource
from rules.kernel.plan import Plan
from rules.kernel.problem import Option, Problem
from rules.kernel.rule import Violation


class NodeResource(ABC):
    """On every node, what its instances use sums to no more than the device has. The units are the subclass's.

    On one of the problem's `overfull` nodes it sums to no more than what runs there uses, where that is more.
    """

    id: str
    always = True

    @abstractmethod
    def use(self, option: Option) -> int:
        """What one instance uses."""

    @abstractmethod
    def capacity(self, pool: Pool) -> int:
        """What each node of a pool has."""

    @abstractmethod
    def explain(self, violation: Violation) -> Finding:
        """The violation as something to tell a person."""

    def applies(self, problem: Problem) -> bool:
        """Whether there is anything to place."""
        return bool(problem.options)

    def constrain(self, form: Formulation, problem: Problem) -> None:
        """A resource row for each pool that can hold something."""
        uses: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
        for option in problem.options:
            uses[option.placement.pool].append((option.id, self.use(option)))
        standing = self._standing(problem)
        for pool in problem.policy.pools:
            use = tuple(uses[pool.name])
            capacity = tuple(
                (node.name, max(self.capacity(pool), standing[node.name])) for node in problem.nodes_of(pool.name)
            )
            if use and capacity:
                form.add(Resource(self.id, pool.place, capacity, use))

    def check(self, plan: Plan, problem: Problem) -> Iterable[Violation]:
        """Sum the use on each node."""
        options = {option.id: option for option in problem.options}
        used: Counter[str] = Counter()
        for item in plan.instances:
            if item.option in options:
                used[item.node] += item.count * self.use(options[item.option])
        standing = self._standing(problem)
        for node in problem.nodes:
            pool = problem.policy.pool(node.pool)
            limit = max(self.capacity(pool), standing[node.name])
            if used[node.name] > limit:
                yield Violation(self.id, node.name, used[node.name], limit, pool.place)

    def _standing(self, problem: Problem) -> Counter[str]:
        """What runs on each overfull node uses: the limit there, where it is more than the device has."""
        found: Counter[str] = Counter()
        if problem.overfull:
            uses = {option.placement: self.use(option) for option in problem.options}
            for item in problem.running:
                if item.node in problem.overfull:
                    found[item.node] += item.count * uses.get(item.placement, 0)
        return found
