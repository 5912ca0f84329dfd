"""How much work goes into what: CP-SAT's deterministic time, about seconds, and the same on every machine."""

from typing import Final

PLAN_WORK: Final = 4.0
"""The plan that a turn decides on."""
TIE_WORK: Final = 1.0
"""Among plans that cost the same, the one that answers soonest."""
OTHER_PLAN_WORK: Final = 1.0
"""A plan that is made to tell something of another one: what stands instead, who gives way, what a loosening costs."""
QUESTION_WORK: Final = 0.5
"""A question whether clauses can hold together; one that it does not answer stays undecided."""
SHORTFALL_WORK: Final = 5.0
"""All questions why a plan falls short; what is not found within it is said to be open."""
