"""Actions: one step each on the fleet. They name the state that is wanted, so doing one twice does no harm."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from controller.fleet import Load, RouteSet, Seat
from rules.kernel.problem import Placement


@dataclass(frozen=True, slots=True)
class SetLoad:
    """Have a placement on its server with this many instances and this batching, loading it when it is not there.

    `anew`: what the server shows does not count, as a call before may be under way there. It is asked in any case, and
    answers once that is over.
    """

    load: Load
    anew: bool = False


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
WITHDRAW: Final = "withdraw"
"""The first wave: requests leave what may not serve, and what may not stand is unloaded."""


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


def is_aside(wave: str, action: Action) -> bool:
    """Whether an action unloads what may not stand beside routes that leave: nothing that is planned needs its room."""
    return wave == WITHDRAW and isinstance(action, Unload)


def seat_of(action: Action) -> Seat | None:
    """What an action loads or unloads, and where; None for routes."""
    match action:
        case SetLoad(load):
            return load.seat
        case Unload():
            return action.seat
    return None


GIVEN_UP: Final = "given up, as something is against what is done or routed now, which the next turn sees to"
"""The `error` of an action that was cut off for what must not wait: nothing is wrong with it."""
STOPPED: Final = "given up, as the controller was to end and had waited as long as it may; the next one looks at it"
"""The `error` of one that was cut off as the controller ended: nothing is wrong with that either."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one action. `error` is empty when it was done.

    `hung` is the seat whose server took a call and did not answer, if that is why; at a site it may be another's.
    """

    decision: str
    wave: str
    action: Action
    started: datetime
    ended: datetime
    error: str = ""
    hung: Seat | None = None

    @property
    def result(self) -> Literal["done", "failed", "given_up"]:
        """What became of it, in a word."""
        if self.error in {GIVEN_UP, STOPPED}:
            return "given_up"
        return "failed" if self.error else "done"
