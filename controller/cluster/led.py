"""Actions that only the leader does, on parts that cannot tell leaders apart: servers and gateways."""

from controller.acting.actuator import Actuator, ActuatorError
from controller.actions import Action
from controller.cluster.fencing import DeposedError, Fence
from controller.cluster.servers_catalogue import deposed
from policy.resolved import Policy


class LedActuator:
    """Another actuator, while this replica leads."""

    def __init__(self, actuator: Actuator, fence: Fence) -> None:
        self._actuator = actuator
        self._fence = fence
        self.name = actuator.name

    def handles(self, action: Action) -> bool:
        """What the other one handles."""
        return self._actuator.handles(action)

    async def apply(self, decision_id: str, action: Action, policy: Policy) -> None:
        """Have it done if nobody else may lead. Raises ActuatorError."""
        try:
            self._fence.term()
        except DeposedError as error:
            raise ActuatorError(str(deposed(type(action).__name__, str(error)))) from error
        await self._actuator.apply(decision_id, action, policy)
