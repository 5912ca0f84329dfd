"""Bringing a wave about at the site: on its Tritons and its gateways, by the product's own actuators."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, Protocol

from controller.acting.actuator import ActuatorError, HangError
from controller.acting.envoy import EnvoyActuator
from controller.acting.envoy_stages import Routed, hold_s
from controller.actions import WITHDRAW, Action, SetLoad, SetRoutes, Unload, Wave, seat_of
from controller.fleet import RouteSet
from controller.sites.agent.state import Failed
from controller.sites.site_plan import SitePlan

AT_ONCE: Final = 4
DEADLINE: Final = timedelta(seconds=90)


Meant = Callable[[Action, SitePlan], bool]
"""Whether an action of a plan is still to be done."""


class Servers(Protocol):
    """Whatever loads and unloads: `TritonActuator`, or a stand-in."""

    async def have(self, action: SetLoad | Unload) -> None:
        """Have the load as wanted, or the placement gone. Raises ActuatorError."""


@dataclass(frozen=True, slots=True)
class Hands:
    """What actions are done with. Without gateways no plan has routes."""

    servers: Servers
    gateways: EnvoyActuator | None

    async def carry(self, wave: Wave, plan: SitePlan, is_meant: Meant = lambda *_: True) -> tuple[Failed, ...]:
        """Do a wave's actions side by side; what could not be done, in the words of whoever refused.

        One whose turn comes when it is no longer meant is left out.
        """
        free = asyncio.Semaphore(AT_ONCE)

        async def one(action: Action) -> Failed | None:
            async with free:
                failed = await self._done(action, plan) if is_meant(action, plan) else None
            return replace(failed, urgent=wave.name == WITHDRAW) if failed else None

        done = await asyncio.gather(*map(one, wave.actions))
        return tuple(each for each in done if each is not None)

    async def _done(self, action: Action, plan: SitePlan) -> Failed | None:
        """What went wrong; None when the action was done."""
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
