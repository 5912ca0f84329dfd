"""How much a service lacks of what it asks for: so much room has to be looked at to give it that."""

from controller.planning.whole.reading import Hard, Reading
from rules.kernel.formulation import Distinct, Flow


def lacking(row: Hard, at: Reading) -> int:
    """How many instances, or groups with one, a row lacks at least; 0 for a row that asks for none."""
    match row:
        case Distinct():
            return max(0, row.least - sum(at.held(row)))
        case Flow() if row.highest is not None:
            answered = max((-factor for _, factor in row.instances), default=0)
            return max(0, -((row.highest - at.flows(row)) // answered)) if answered > 0 else 0
        case _:
            return 0
