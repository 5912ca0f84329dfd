"""Only a leader acts."""

import pytest

from controller.acting.actuator import ActuatorError
from controller.acting.dry_run import DryRun
from controller.actions import SetRoutes
from controller.cluster.fencing import DeposedError
from controller.cluster.led import LedActuator
from tests.acting.world import world

ROUTES = SetRoutes(())


class Leads:
    """Who leads until somebody says otherwise."""

    is_leading = True

    def term(self) -> str:
        if not self.is_leading:
            raise DeposedError("its lease was not renewed in time")
        return "1.a"


async def test_an_action_is_done_while_this_replica_leads_and_not_after() -> None:
    by, real = Leads(), DryRun()
    led = LedActuator(real, by)
    assert led.handles(ROUTES)
    await led.apply("decision", ROUTES, world())
    by.is_leading = False
    with pytest.raises(ActuatorError, match="GW2139: not done, for another replica may lead: its lease was not"):
        await led.apply("next", ROUTES, world())
    assert real.noted == [("decision", ROUTES)]
