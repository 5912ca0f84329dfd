"""What a cluster holds of a policy: its custom resources, asked of the API server by the client of Kubernetes."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policy.cluster.kubeconfig import trouble
from policy.documents import KINDS
from policy.schema.crd import GROUP, VERSION, plural

PREFIX: Final = "kubernetes:"
PATIENCE_S: Final = 30.0
"""For each kind."""
MOST_RESOURCES: Final = 20_000
"""Of a kind; a list is asked for in pages of `PAGE`."""
PAGE: Final = 500
_TOLD_CHARACTERS: Final = 300


class ClusterError(Exception):
    """A cluster's policy cannot be had: what is wrong, and the next step."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def is_cluster(text: str) -> bool:
    """Whether the text is meant to name a cluster, `kubernetes:CONTEXT`."""
    return text.startswith(PREFIX)


def resources(context: str, kubeconfig: str | None = None) -> list[Mapping[str, Any]]:
    """The custom resources of every kind, by kind and name; of the current context when none is named.

    `kubeconfig` is a path, or several as `KUBECONFIG` has them; without it, the one in the home folder counts.
    Raises ClusterError.
    """
    # The client takes a second to import, which commands on folders have no use for.
    from kubernetes import client, config  # noqa: PLC0415
    from urllib3.exceptions import HTTPError  # noqa: PLC0415

    try:
        config.load_kube_config(kubeconfig, context or None, settings := client.Configuration())
        with client.ApiClient(settings) as calls:
            asked = client.CustomObjectsApi(calls)
            return [item for kind in KINDS for item in _listed(asked, plural(kind))]
    except config.ConfigException as error:
        raise ClusterError(*trouble(error, kubeconfig)) from error
    except client.ApiException as error:
        hint = "check that deploy/crds is applied, and that you may list the resources of gridwright.dev"
        raise ClusterError(f"the API server answers {error.status} {error.reason}", hint) from error
    except (HTTPError, OSError) as error:
        raise ClusterError(f"the API server does not answer: {_short(error)}", "check the context's server") from error


def _listed(asked: Any, resource: str) -> Iterator[Mapping[str, Any]]:
    """All objects of a resource, page by page."""
    following, found = "", 0
    while True:
        page = asked.list_cluster_custom_object(
            GROUP, VERSION, resource, limit=PAGE, _continue=following, _request_timeout=PATIENCE_S
        )
        yield from page["items"]
        found += len(page["items"])
        following = page["metadata"].get("continue", "")
        if not following:
            return
        if found >= MOST_RESOURCES:
            raise ClusterError(f"there are more than {MOST_RESOURCES} {resource}", "keep them in folders or in git")


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:_TOLD_CHARACTERS]
