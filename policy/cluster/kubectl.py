"""What a cluster holds of a policy, asked of it by `kubectl`, which knows how its user gets in."""

import subprocess
from typing import Final

from policy.documents import KINDS
from policy.schema.crd import GROUP, plural

PREFIX: Final = "kubernetes:"
PATIENCE_S: Final = 60.0
_TOLD_CHARACTERS: Final = 300
_RESOURCES: Final = ",".join(f"{plural(kind)}.{GROUP}" for kind in KINDS)


class ClusterError(Exception):
    """A cluster's policy cannot be had: what is wrong, and the next step."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def is_cluster(text: str) -> bool:
    """Whether the text is meant to name a cluster, `kubernetes:CONTEXT`."""
    return text.startswith(PREFIX)


def resources(context: str) -> str:
    """The custom resources of every kind as one list in JSON; of the current context when none is named.

    Raises ClusterError.
    """
    chosen = [f"--context={context}"] if context else []
    command = ["kubectl", *chosen, "get", _RESOURCES, "--output=json"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    except FileNotFoundError:
        raise ClusterError("kubectl is not here", "install it; it is what asks the cluster") from None
    except subprocess.TimeoutExpired:
        raise ClusterError(f"kubectl was not done after {PATIENCE_S:g} s", "see whether the cluster answers") from None
    if done.returncode:
        told = " ".join(done.stderr.split())[:_TOLD_CHARACTERS]
        hint = "check the context and the rights to list resources, and that deploy/crds is applied"
        raise ClusterError(f"kubectl says: {told}", hint)
    return done.stdout
