"""A cluster without the Gateway API: what is missing is told."""

from pathlib import Path

import pytest

from controller.acting.actuator import ActuatorError
from controller.actions import SetRoutes
from controller.cluster.routes.routing import RoutesActuator
from controller.cluster.routes.settings import GatewaySettings
from controller.fleet import RouteSet
from tests.acting.world import world
from tests.cluster.fleet import calls

pytestmark = pytest.mark.cluster

GATEWAYS = {"edge-paris": GatewaySettings(namespace="edge", name="paris")}


async def test_that_there_is_no_gateway_api_is_told_with_what_to_install(kubeconfig: Path) -> None:
    async with calls(kubeconfig) as by:
        actuator = RoutesActuator(by, GATEWAYS)
        with pytest.raises(ActuatorError, match=r"GW2165.*install its definitions"):
            await actuator.routes()
        with pytest.raises(ActuatorError, match="GW2165"):
            await actuator.apply("decision", SetRoutes((RouteSet("crops", "edge-paris", ()),)), world())


async def test_an_origin_without_a_gateway_is_told_where_to_name_it(kubeconfig: Path) -> None:
    async with calls(kubeconfig) as by:
        with pytest.raises(ActuatorError, match=r"edge-nice: name one under `cluster\.gateways`"):
            await RoutesActuator(by, GATEWAYS).apply("d", SetRoutes((RouteSet("crops", "edge-nice", ()),)), world())
