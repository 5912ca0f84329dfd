"""Nodes of a pool in one rack are alike, so a plan may name any: this names those where the same things run already."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from rules.kernel.plan import Instances, Plan
from rules.kernel.problem import Problem


def align(plan: Plan, running: Plan, problem: Problem) -> Plan:
    """The same plan with like nodes permuted, greedily, towards the least change against what runs."""
    renamed: dict[str, str] = {}
    planned, runs = _by_node(plan, problem), _by_node(running, problem)
    for nodes in _alike(problem):
        wanted = {node: planned.get(node, {}) for node in nodes}
        has = {node: runs.get(node, {}) for node in nodes}
        pairs = sorted(
            ((-_overlap(wanted[new], has[old]), new != old, new, old) for new in nodes for old in nodes),
        )
        taken: set[str] = set()
        for _, _, new, old in pairs:
            if new not in renamed and old not in taken:
                renamed[new] = old
                taken.add(old)
    moved = (Instances(item.option, renamed.get(item.node, item.node), item.count) for item in plan.instances)
    return replace(plan, instances=tuple(sorted(moved)))


def _alike(problem: Problem) -> Iterable[list[str]]:
    """Nodes that no rule tells apart: those of a pool that stand in the same rack."""
    found: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for pool in problem.policy.pools:
        for node in problem.nodes_of(pool.name):
            found[pool.name, problem.rack_of(node.name)[1]].append(node.name)
    return found.values()


def _by_node(plan: Plan, problem: Problem) -> dict[str, dict[str, int]]:
    """By node, the instances of each placement."""
    found: dict[str, dict[str, int]] = {}
    for item in plan.instances:
        held = found.setdefault(item.node, {})
        name = str(problem.option(item.option).placement)
        held[name] = held.get(name, 0) + item.count
    return found


def _overlap(wanted: dict[str, int], has: dict[str, int]) -> int:
    return sum(min(count, has.get(name, 0)) for name, count in wanted.items())
