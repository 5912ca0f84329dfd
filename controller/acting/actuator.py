"""The actuator protocol: one kind of real part that actions are brought about on.

ActuatorError, and HangError among them
"""

from collections.abc import Iterable
from typing import Protocol

from controller.actions import Action
from controller.fleet import RouteSet, Seat
from policy.resolved import Policy


class ActuatorError(Exception):
    """An action could not be brought about in time. The message tells what was seen and the next step."""


class HangError(ActuatorError):
    """A server took a call for a seat and did not answer in time. Whether it was done is not known."""

    def __init__(self, message: str, seat: Seat) -> None:
        super().__init__(message)
        self.seat = seat


class UnreadError(ActuatorError):
    """Gateways of the `origins` do not tell all that they follow; `read` is what was told, by these and all others.

    `maybe` is what gateways were given, and may follow now or at once.
    """

    def __init__(
        self, message: str, read: Iterable[RouteSet], origins: Iterable[str], maybe: Iterable[RouteSet] = ()
    ) -> None:
        super().__init__(message)
        self.read = tuple(sorted(read))
        self.origins = frozenset(origins)
        self.maybe = tuple(sorted(maybe))


class Actuator(Protocol):
    """Brings actions about.

    An action names the state that is wanted: `apply` looks first, changes only what differs, and returns once the real
    part reports the wanted state. So doing an action twice does no harm, and one that was cut short is simply done
    again. `apply` is bounded in time.
    """

    name: str

    def handles(self, action: Action) -> bool:
        """Whether this actuator is the one for the action."""

    async def apply(self, decision_id: str, action: Action, policy: Policy) -> None:
        """Have the action done under the policy that it was decided by. Raises ActuatorError."""
