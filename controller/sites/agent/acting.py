"""Bringing an action about at the site: on its Tritons and its gateways, by the product's own actuators."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol

from controller.acting.actuator import ActuatorError, HangError
from controller.acting.envoy import EnvoyActuator
from controller.acting.envoy_stages import Routed, hold_s
from controller.actions import Action, SetLoad, SetRoutes, Unload, seat_of
from controller.fleet import RouteSet
from controller.sites.agent.state import Failed
from controller.sites.site_plan import SitePlan

DEADLINE: Final = timedelta(seconds=90)


class Servers(Protocol):
    """Whatever loads and unloads: `TritonActuator`, or a stand-in."""

    async def have(self, action: SetLoad | Unload) -> None:
        """Have the load as wanted, or the placement gone. Raises ActuatorError."""


@dataclass(frozen=True, slots=True)
class Hands:
    """What actions are done with. Without gateways no plan has routes."""

    servers: Servers
    gateways: EnvoyActuator | None

    async def do(self, action: Action, plan: SitePlan) -> Failed | None:
        """Do an action of a plan; what could not be done, in the words of whoever refused, and None when it was."""
        seat = seat_of(action)
        try:
            async with asyncio.timeout(DEADLINE.total_seconds()):
                if isinstance(action, SetRoutes):
                    await self._follow(action.routes, plan)
                else:
                    await self.servers.have(action)
        except ActuatorError as error:
            return Failed(str(error), seat, hung=isinstance(error, HangError))
        except TimeoutError:
            trouble = f"not done within {DEADLINE.total_seconds():g} s: see the log of the server or gateway"
            return Failed(trouble, seat, hung=seat is not None)
        except Exception as error:  # noqa: BLE001 - a fault in one action must not lose what its neighbours did
            return Failed(f"{type(error).__name__}: {error}: a fault of Gridwright, report it", seat)
        return None

    async def _follow(self, routes: tuple[RouteSet, ...], plan: SitePlan) -> None:
        if self.gateways is None:
            raise ActuatorError("the plan has routes and no gateway is known: name one under `gateways`")
        await self.gateways.follow(routes, services_of(plan))


def services_of(plan: SitePlan) -> Mapping[str, Routed]:
    """The plan's services as gateways need to know them."""
    return {service.name: Routed(service.stages, hold_s(service.wake_up_us)) for service in plan.services}
