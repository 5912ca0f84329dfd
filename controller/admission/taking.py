"""What an API server does not take of the manifests, told before half of them are applied.

A stage whose manifests are refused is not protected, so one that would be keeps all of them from being written.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

MAX_DATA_BYTES: Final = 1024 * 1024
"""All values of a ConfigMap together; its keys do not count."""
_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*", re.ASCII)
"""A subdomain as in RFC 1123, which names of most kinds of object are. Ours are short enough for one."""


class Refusal(NamedTuple):
    """Why a manifest is not taken, and the next step."""

    message: str
    hint: str


def refused(documents: Iterable[Mapping[str, Any]]) -> Iterator[Refusal]:
    """What is against each manifest that an API server refuses."""
    for document in documents:
        kind, name = document["kind"], document["metadata"]["name"]
        if not _NAME.fullmatch(name):
            message = f"no {kind} is called {name}, with dots side by side or beside a dash"
            yield Refusal(message, "rename the service, the stage or the pool")
        size = sum(len(value.encode()) for value in document.get("data", {}).values())
        if size > MAX_DATA_BYTES:
            message = f"the {kind} {name} tells of all nodes in {size} bytes, and Kubernetes takes {MAX_DATA_BYTES}"
            yield Refusal(message, "export a policy with the pools of this cluster alone")
