"""What objects of a cluster are called and labelled, so that all parts that read or write them agree."""

import hashlib
import re
from typing import Final

SYSTEM: Final = "gridwright-system"
"""The namespace of the controller."""
ROUTES: Final = "gridwright-routes"
"""The namespace of routes."""
BACKEND: Final = "server-"
"""How the names of Services begin that lead to one server; a server's own may begin with a digit, theirs may not."""
MANAGER: Final = "gridwright"
"""The field manager, and the value of `MANAGED_BY`, of all that is written."""
MANAGED_BY: Final = "app.kubernetes.io/managed-by"
POOL: Final = "gridwright.dev/pool"
"""A label: the pool of a node, of a namespace, or of what stands in it."""
SERVER: Final = "gridwright.dev/server"
"""A label: which server of its pool an object is of."""
NODE: Final = "gridwright.dev/node"
"""An annotation: the node of a server. Names of nodes can be longer than values of labels."""
LEADS: Final = "gridwright.dev/leads"
"""A label: the controller's pod that leads, by which the chart's Service selects."""
CONTENT: Final = "gridwright.dev/content"
"""An annotation: a digest of what was asked for when an object was last applied."""

MOST_LABEL: Final = 63
MOST_SERVER: Final = 52
"""A StatefulSet's name, a dash and ten digits of its revision are a label of its pod."""
_LABEL: Final = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?", re.ASCII)
_DIGEST: Final = 8


def namespace_of(pool: str) -> str:
    """The namespace of a pool's servers, which is never that of the controller or of routes."""
    prefix = "gridwright-"
    most = MOST_LABEL - len(prefix)
    namespace = prefix + as_label(pool, most)
    return prefix + digested(pool, most) if namespace in {SYSTEM, ROUTES} else namespace


def server_of(node: str) -> str:
    """The name of the server on a node, within its pool's namespace."""
    return as_label(node, MOST_SERVER)


def pod_of(node: str) -> str:
    """The name of the pod of the server on a node."""
    return f"{server_of(node)}-0"


def backend_of(node: str) -> str:
    """The name of the Service that leads to the server on a node alone."""
    return f"{BACKEND}{server_of(node)}"


def as_label(name: str, most: int) -> str:
    """A name as one label of DNS of at most so many characters; one that is not is cut, and told apart by a digest."""
    if len(name) <= most and _LABEL.fullmatch(name):
        return name
    return digested(name, most)


def digested(name: str, most: int) -> str:
    """A name as one label of DNS of at most so many characters, always with a digest: two names never come to one."""
    digest = hashlib.sha256(name.encode()).hexdigest()[:_DIGEST]
    kept = re.sub(r"[^a-z0-9]+", "-", name.lower())[: most - _DIGEST - 1].strip("-")
    return f"{kept}-{digest}" if kept else digest
