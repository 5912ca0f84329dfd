"""What is known of a cluster when rules judge: the nodes that may be used or have a server, and what counts of them."""

from datetime import datetime

from collectors.snapshot import Snapshot
from controller.planning.held_back import held_back
from controller.planning.idle import without_idle
from controller.planning.inventoried import inventoried
from controller.planning.machines import of_these_machines
from policy.resolved import Policy


def known(policy: Policy, snapshot: Snapshot, now: datetime) -> tuple[Policy, Snapshot]:
    """The policy with the nodes that rules judge, and the snapshot with what may be placed on and is said of them."""
    snapshot = held_back(policy, of_these_machines(snapshot), now)
    return inventoried(policy, without_idle(snapshot)), snapshot
