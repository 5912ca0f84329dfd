"""The documents that a cluster holds, read as this release reads them before its definitions change."""

import asyncio
from typing import Final

from controller.cluster.api_server.calls import Calls
from controller.cluster.api_server.errors import CallError, MissingError
from controller.cluster.api_server.listing import listed
from controller.cluster.api_server.resources import Resource
from policy.cluster.documents import documents, field_at
from policy.documents import API_VERSION, KINDS
from policy.parse import parse
from policy.schema.crd import plural
from policy.validate import validate
from policy.variables import uses

_TOLD_AT_MOST: Final = 10


async def require_readable(calls: Calls) -> None:
    """Raises CallError with what is wrong with single documents, each with its field, and where it cannot be asked.

    What a new definition does not know the API server drops from a document. Whether documents fit each other is not
    asked: that is no matter of definitions.
    """
    found = await asyncio.gather(*(_of_kind(calls, kind) for kind in KINDS))
    wrong = [each for told in found for each in told]
    if wrong:
        more = f", and {len(wrong) - _TOLD_AT_MOST} more" if len(wrong) > _TOLD_AT_MOST else ""
        raise CallError(
            f"the cluster holds what this release does not read: {'; '.join(wrong[:_TOLD_AT_MOST])}{more}",
            "say it as docs/language.md has it, with the release that is there, and run this again",
        )


async def _of_kind(calls: Calls, kind: str) -> list[str]:
    try:
        held = [each async for each in listed(calls, Resource(API_VERSION, plural(kind)))]
    except MissingError:
        return []
    return [told for name, text in documents(held) for told in _wrong(name, text)]


def _wrong(name: str, text: str) -> list[str]:
    read = (document for document in parse(name, text).documents if not uses(document))
    return [
        f"{name.removesuffix('.yaml')} {field_at(finding.place, text) if finding.place else ''}: {finding.message}"
        for document in read
        for finding in validate(document)[1]
    ]
