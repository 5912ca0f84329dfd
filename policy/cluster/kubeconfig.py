"""Why a kubeconfig leads to no cluster, and the next step."""

import os
from pathlib import Path
from typing import Final

AT_HOME: Final = "~/.kube/config"
_TOLD_CHARACTERS: Final = 300


def trouble(error: Exception, kubeconfig: str | None) -> tuple[str, str]:
    """What is wrong and what to do, where the client of Kubernetes could make nothing of a kubeconfig.

    `kubeconfig` is a path, or several as `KUBECONFIG` has them; without it, the one in the home folder counts.
    """
    looked_for = kubeconfig or AT_HOME
    if not any(Path(each).expanduser().is_file() for each in looked_for.split(os.pathsep)):
        return f"there is no kubeconfig at {looked_for}", "set KUBECONFIG to the file that names the cluster"
    said = " ".join(str(error).split())[:_TOLD_CHARACTERS]
    return f"the kubeconfig {looked_for} leads nowhere: {said}", "name a context of it"
