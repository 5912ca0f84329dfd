"""Device memory: what stands on a node fits into its device's memory, all instances together."""

from collections import Counter, defaultdict
from collections.abc import Iterable

from policy.findings import Finding
from policy.resolved import Pool
from rules.kernel.formulation import Formulation, Resource
from rules.kernel.node_resource import NodeResource
from rules.kernel.plan import Plan
from rules.kernel.problem import Option, Placement, Problem
from rules.kernel.rule import Violation


class DeviceMemory(NodeResource):
    """The memory of a node's instances, in MiB, is at most its pool's `memory_mib`; exactly full is kept.

    What the problem has `begun` takes its memory in any case, and no more of it is added before it is known.
    """

    id = "device_memory"
    finding_id = "GW1003"

    def use(self, option: Option) -> int:
        """MiB of one instance."""
        return option.memory_mib

    def capacity(self, pool: Pool) -> int:
        """MiB of one node."""
        return pool.memory_mib

    def constrain(self, form: Formulation, problem: Problem) -> None:
        """And for each node on which something is begun: a row of that, and one of what is left for all else."""
        super().constrain(form, problem)
        begun: defaultdict[str, dict[Placement, int]] = defaultdict(dict)
        for item in problem.begun:
            begun[item.node][item.placement] = item.count
        for node, here in sorted(begun.items()):
            pool = problem.policy.pool(next(iter(here)).pool)
            options = [each for each in problem.options if each.placement.pool == pool.name]
            mib = {each.placement: self.use(each) for each in options}
            left = self.capacity(pool) - sum(count * mib.get(placement, 0) for placement, count in here.items())
            if node in problem.overfull:
                runs = (each for each in problem.running if each.node == node and each.placement not in here)
                left = max(left, sum(each.count * mib.get(each.placement, 0) for each in runs))
            others = tuple((each.id, self.use(each)) for each in options if each.placement not in here)
            if others:
                form.add(Resource(self.id, pool.place, ((node, left),), others))
            for placement, count in sorted(here.items()):
                same = tuple((each.id, 1) for each in options if each.placement == placement)
                if same:
                    form.add(Resource(self.id, pool.place, ((node, count),), same))

    def check(self, plan: Plan, problem: Problem) -> Iterable[Violation]:
        """And sum what would be used on each node once all is there that is begun."""
        yield from super().check(plan, problem)
        if problem.begun:
            yield from self._beside_begun(plan, problem)

    def _beside_begun(self, plan: Plan, problem: Problem) -> Iterable[Violation]:
        kinds = {option.id: option.placement for option in problem.options}
        sizes = {option.placement: option.memory_mib for option in problem.options}
        planned: Counter[tuple[str, Placement]] = Counter()
        for item in plan.instances:
            if item.option in kinds:
                planned[item.node, kinds[item.option]] += item.count
        coming = {(item.node, item.placement): item.count for item in problem.begun}
        standing = {(item.node, item.placement): item.count for item in problem.running}
        for node in dict.fromkeys(item.node for item in problem.begun):
            pool = problem.policy.pool(next(item.placement.pool for item in problem.begun if item.node == node))

            def used(counts: Iterable[tuple[tuple[str, Placement], int]], here: str = node) -> int:
                return sum(count * sizes.get(kind, 0) for (at, kind), count in counts if at == here)

            expected = used({key: max(planned[key], coming.get(key, 0)) for key in {*planned, *coming}}.items())
            limit = pool.memory_mib
            if node in problem.overfull:
                limit = max(limit, used({**standing, **coming}.items()))
            if expected > limit:
                yield Violation(self.id, node, expected, limit, pool.place)
            elif any(planned[key] > count for key, count in coming.items() if key[0] == node):
                yield Violation(self.id, node, expected, used({**planned, **coming}.items()), pool.place)

    def explain(self, violation: Violation) -> Finding:
        """How much memory is asked of the node, and what would make room."""
        message = f"node {violation.subject} would hold {violation.measured} MiB; it may hold {violation.limit} MiB"
        return violation.finding(self.finding_id, message, "add a node to the pool, or use a variant that is smaller")
