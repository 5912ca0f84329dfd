"""All objects of a resource, page by page, so that no answer is larger than a page."""

from collections.abc import AsyncIterator, Mapping
from typing import Final

from controller.cluster.api_server.calls import Calls, Object
from controller.cluster.api_server.resources import Resource

PAGE: Final = 500


async def pages(calls: Calls, resource: Resource, query: Mapping[str, str | int]) -> AsyncIterator[Object]:
    """Each page of the cluster's objects, all as of one version of it. Raises CallError."""
    following = ""
    while True:
        page = await calls.get(resource.path(), limit=PAGE, **query, **({"continue": following} if following else {}))
        yield page
        following = page["metadata"].get("continue", "")
        if not following:
            return


async def listed(calls: Calls, resource: Resource, **query: str) -> AsyncIterator[Object]:
    """Each object of the cluster, as of one version of it. Raises CallError."""
    async for page in pages(calls, resource, query):
        for each in page["items"]:
            yield each
