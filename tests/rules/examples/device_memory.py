"""Device memory: nodes of 1000 MiB, instances of 500 MiB and of 1 MiB."""

from rules.kernel.problem import Problem
from rules.kernel.rule import Violation
from tests.rules.build import at, plan, two_places
from tests.rules.example import Example


def problem(memory_mib: int) -> Problem:
    fleet = two_places().pool("big", "lyon", nodes=2, line=33, memory_mib=memory_mib)
    return fleet.option("det", "det", "big", memory_mib=500).option("rec", "rec", "big", memory_mib=1).problem


EXAMPLES = (
    Example(
        name="instances may fill a device to the last MiB",
        problem=problem(1000),
        on_limit=plan({("det", "big-0"): 2, ("det", "big-1"): 1, ("rec", "big-1"): 2}),
        over_limit=plan({("det", "big-0"): 2, ("rec", "big-0"): 1}),
        violation=Violation("device_memory", "big-0", 1001, 1000, at(33)),
        message="node big-0 would hold 1001 MiB; its device has 1000 MiB",
        spared=(two_places().problem, problem(1001)),
    ),
)
