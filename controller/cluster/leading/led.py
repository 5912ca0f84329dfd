"""Actions that only the leader does, on parts that cannot tell leaders apart: servers and gateways."""

import asyncio
from typing import Protocol

from controller.acting.actuator import Actuator, ActuatorError
from controller.actions import Action
from controller.cluster.leading.fencing import DeposedError, Fence
from controller.cluster.servers.catalogue import deposed
from policy.resolved import Policy


class Lead(Fence, Protocol):
    """Who may act now, and until when."""

    async def deposed(self) -> None:
        """Wait until somebody else may lead."""


class LedActuator:
    """Another actuator, while this replica leads."""

    def __init__(self, actuator: Actuator, lead: Lead) -> None:
        self._actuator = actuator
        self._lead = lead
        self.name = actuator.name

    def handles(self, action: Action) -> bool:
        """What the other one handles."""
        return self._actuator.handles(action)

    async def apply(self, decision_id: str, action: Action, policy: Policy) -> None:
        """Have it done while nobody else may lead, and break it off once somebody may. Raises ActuatorError."""
        self._require_lead(action)
        acting = asyncio.ensure_future(self._actuator.apply(decision_id, action, policy))
        watching = asyncio.ensure_future(self._lead.deposed())
        try:
            await asyncio.wait((acting, watching), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (acting, watching):
                task.cancel()
            await asyncio.gather(acting, watching, return_exceptions=True)
        if acting.cancelled():
            raise _not_done(action, "its lease ended while the action was under way")
        acting.result()

    def _require_lead(self, action: Action) -> None:
        try:
            self._lead.term()
        except DeposedError as error:
            raise _not_done(action, str(error)) from error


def _not_done(action: Action, told: str) -> ActuatorError:
    return ActuatorError(str(deposed(type(action).__name__, told)))
