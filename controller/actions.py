"""Actions: one step each on the fleet. They name the state that is wanted, so doing one twice does no harm."""

from dataclasses import dataclass
from datetime import datetime

from controller.fleet import Load, RouteSet, Seat
from rules.kernel.problem import Placement


@dataclass(frozen=True, slots=True)
class SetLoad:
    """Have a placement on its server with this many instances and this batching, loading it when it is not there."""

    load: Load


@dataclass(frozen=True, slots=True)
class Unload:
    """Have a placement gone from a server, once its requests have drained; the server as a `Load` names it."""

    placement: Placement
    node: str = ""

    @property
    def seat(self) -> Seat:
        """What is unloaded, and from which server."""
        return self.placement, self.node


@dataclass(frozen=True, slots=True)
class SetRoutes:
    """Have the gateways follow exactly these route sets; demands that are not named keep theirs."""

    routes: tuple[RouteSet, ...]


Action = SetLoad | Unload | SetRoutes


@dataclass(frozen=True, slots=True)
class Wave:
    """Actions that may run side by side; the next wave waits until all of them are done.

    `name` is one of withdraw, free, grow, route, shrink; a transition may have several of the middle three.
    `duration_us` is predicted.
    """

    name: str
    actions: tuple[Action, ...]
    duration_us: int = 0


@dataclass(frozen=True, slots=True)
class Transition:
    """The ordered, safe steps from the running fleet to a plan. `duration_us` is the sum of its waves'."""

    waves: tuple[Wave, ...] = ()
    duration_us: int = 0

    def servers(self) -> frozenset[tuple[str, str]]:
        """The servers on which something is loaded or unloaded, by pool and node."""
        actions = [action for wave in self.waves for action in wave.actions]
        seats = (
            *(action.load.seat for action in actions if isinstance(action, SetLoad)),
            *(action.seat for action in actions if isinstance(action, Unload)),
        )
        return frozenset((placement.pool, node) for placement, node in seats)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one action. `error` is empty when it was done."""

    decision: str
    wave: str
    action: Action
    started: datetime
    ended: datetime
    error: str = ""
