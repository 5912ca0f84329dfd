"""Device memory: nodes of 1000 MiB, instances of 500 MiB and of 1 MiB."""

from dataclasses import replace

from rules.kernel.problem import Placement, Problem, Running
from rules.kernel.rule import Violation
from tests.rules.build import at, plan, two_places
from tests.rules.example import Domain, Example


def problem(memory_mib: int) -> Problem:
    fleet = two_places().pool("big", "lyon", nodes=2, line=33, memory_mib=memory_mib)
    return fleet.option("det", "det", "big", memory_mib=500).option("rec", "rec", "big", memory_mib=1).problem


def overfull() -> Problem:
    """Of two nodes of 1000 MiB with 1001 MiB each, one may go on holding them; of what else runs no size is known."""
    held = problem(1000)
    both = {item.placement: item for item in held.options}
    running = tuple(
        Running(placement, node, 2 if option.id == "det" else 1)
        for placement, option in both.items()
        for node in ("big-0", "big-1")
    )
    unknown = Running(Placement("gone", "fp32", "big"), "big-0", 3)
    return replace(held, running=(*running, unknown), overfull=frozenset(("big-0",)))


def begun(memory_mib: int, node: str = "") -> Problem:
    """One of det runs on big-0, and it may be two by now, or soon."""
    held = problem(memory_mib)
    det = next(item.placement for item in held.options if item.id == "det")
    runs = tuple(Running(det, "big-0", count) for count in (1, 2))
    return replace(held, running=runs[:1], begun=runs[1:], overfull=frozenset((node,)) if node else frozenset())


EXAMPLES = (
    Example(
        name="instances may fill a device to the last MiB",
        problem=problem(1000),
        on_limit=plan({("det", "big-0"): 2, ("det", "big-1"): 1, ("rec", "big-1"): 2}),
        over_limit=plan({("det", "big-0"): 2, ("rec", "big-0"): 1}),
        violation=Violation("device_memory", "big-0", 1001, 1000, at(33)),
        message="node big-0 would hold 1001 MiB; it may hold 1000 MiB",
        spared=(two_places().problem, problem(1001)),
    ),
    Example(
        name="a node that is too full of what cannot be taken away may hold what it does",
        problem=overfull(),
        on_limit=plan({("det", "big-0"): 2, ("rec", "big-0"): 1}),
        over_limit=plan({("det", "big-0"): 2, ("rec", "big-0"): 2}),
        violation=Violation("device_memory", "big-0", 1002, 1001, at(33)),
        message="node big-0 would hold 1002 MiB; it may hold 1001 MiB",
        spared=(two_places().problem, problem(1002)),
    ),
    Example(
        name="what was begun takes its room beside all else before it is known what came of it",
        problem=begun(1001),
        on_limit=plan({("det", "big-0"): 1, ("rec", "big-0"): 1}),
        over_limit=plan({("det", "big-0"): 1, ("rec", "big-0"): 2}),
        violation=Violation("device_memory", "big-0", 1002, 1001, at(33)),
        message="node big-0 would hold 1002 MiB; it may hold 1001 MiB",
        spared=(problem(1001), begun(1002)),
    ),
    Example(
        name="no more is added of what was begun before it is known what came of it",
        problem=begun(1501),
        on_limit=plan({("det", "big-0"): 2, ("rec", "big-0"): 1}),
        over_limit=plan({("det", "big-0"): 3, ("rec", "big-0"): 1}),
        violation=Violation("device_memory", "big-0", 1501, 1001, at(33)),
        message="node big-0 would hold 1501 MiB; it may hold 1001 MiB",
        domain=Domain(counts=(0, 2, 3)),
        spared=(problem(1501),),
    ),
    Example(
        name="where what was begun does not fit by itself nothing is added",
        problem=begun(999, "big-0"),
        on_limit=plan({("det", "big-0"): 1}),
        over_limit=plan({("det", "big-0"): 1, ("rec", "big-0"): 1}),
        violation=Violation("device_memory", "big-0", 1001, 1000, at(33)),
        message="node big-0 would hold 1001 MiB; it may hold 1000 MiB",
        spared=(problem(999),),
    ),
)
