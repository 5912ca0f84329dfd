"""Whether a plan of instances on devices holds: counted instance by instance, sharing nothing with the engines."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from controller.planning.fleet.devices import DevicePlan, DeviceProblem


@dataclass(slots=True)
class _Used:
    """Of one node."""

    cpu: int = 0
    memory: int = 0
    shares: Counter[int] = field(default_factory=Counter)


def broken(problem: DeviceProblem, plan: DevicePlan) -> list[str]:
    """What does not hold, in words; an empty list for a plan that may be acted on."""
    kinds = [kind for kind, nodes in enumerate(problem.kind_nodes.tolist()) for _ in range(nodes)]
    allowed, needs = problem.class_allowed.tolist(), problem.class_need.tolist()
    there = problem.class_count.tolist()
    used: defaultdict[int, _Used] = defaultdict(_Used)
    counts: Counter[int] = Counter()
    found: list[str] = []
    for one, node, bits in zip(*(part.tolist() for part in plan), strict=True):
        if not (0 <= one < len(needs) and 0 <= node < len(kinds) and bits >= 0):
            found.append(f"no class {one}, node {node} or devices {bits}")
            continue
        cpu, memory, wanted, share = needs[one]
        devices = [device for device in range(bits.bit_length()) if bits >> device & 1]
        if not allowed[one][kinds[node]]:
            found.append(f"class {one} may not stand on node {node}")
        if len(devices) != wanted:
            found.append(f"class {one} on node {node} uses {len(devices)} devices, not {wanted}")
        counts[one] += 1
        used[node].cpu += cpu
        used[node].memory += memory
        used[node].shares.update(dict.fromkeys(devices, share))
    for node, taken in used.items():
        found += _exceeded(node, taken, problem.kind_free[kinds[node]].tolist())
    return found + [f"{n} of class {one}, and there are {there[one]}" for one, n in counts.items() if n > there[one]]


def _exceeded(node: int, taken: _Used, there: list[int]) -> list[str]:
    cpu, memory, *shares = there
    found = []
    if taken.cpu > cpu:
        found.append(f"node {node}: {taken.cpu} of {cpu} CPU")
    if taken.memory > memory:
        found.append(f"node {node}: {taken.memory} of {memory} memory")
    for device, share in taken.shares.items():
        has = shares[device] if device < len(shares) else 0
        if share > has:
            found.append(f"node {node}: {share} of {has} shares of device {device}")
    return found
