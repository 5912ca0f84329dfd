"""Evicting the pod of a server: the API server refuses it while a budget of disruptions is against it."""

from typing import Final

from controller.cluster.api_server.calls import Calls
from controller.cluster.api_server.errors import DISRUPTION_BUDGET, BusyError, MissingError
from controller.cluster.api_server.resources import PODS
from controller.cluster.names import MANAGED_BY, MANAGER
from controller.cluster.servers.standing import Key

_VERSION: Final = "policy/v1"


async def evict(calls: Calls, server: Key) -> str:
    """Have the pod of a server end, by its own drain; why it may not, or nothing. Raises CallError."""
    pod = f"{server.name}-0"
    metadata = {"name": pod, "namespace": server.namespace, "labels": {MANAGED_BY: MANAGER}}
    eviction = {"apiVersion": _VERSION, "kind": "Eviction", "metadata": metadata}
    try:
        await calls.create(PODS.path(pod, namespace=server.namespace, subresource="eviction"), eviction)
    except MissingError:
        return ""  # it is gone already
    except BusyError as error:
        if error.is_because_of(DISRUPTION_BUDGET):
            return error.message
        raise
    return ""
