"""`gridwright run`: the loop, until it is told to stop."""

import os
from pathlib import Path

from controller.cli.arguments import DEFAULT_JOURNAL, ConnectionsFile, Environment, FollowedFolder, JournalFile
from controller.cli.errors import CliError, Exit, in_two
from controller.cli.solver import loading_solver
from controller.cli.sources import folder_or_address
from policy.cluster.resources import is_cluster


def run(
    path: FollowedFolder,
    *,
    connections: ConnectionsFile,
    environment: Environment = "",
    journal: JournalFile = DEFAULT_JOURNAL,
) -> int:
    """Observe, decide and act, again and again, and serve the API, until SIGINT or SIGTERM.

    After the first signal nothing is begun, and actions under way have a minute to end; the second stops at once.
    Broken documents stop nothing: the last good policy stays in force. A repository is looked at every 30 s; custom
    resources are followed (kubernetes:CONTEXT). With OTEL_EXPORTER_OTLP_ENDPOINT set, the controller's own spans are
    sent there.

    Where the connections name a cluster, replicas elect one that acts. One that may lead no longer ends, and exits 1.
    """
    import asyncio

    from controller.cluster.api_server.errors import CallError
    from controller.connections.reading import ConnectionsError
    from controller.journal.errors import JournalError
    from controller.sites.hub.authority import KeysError

    followed = None if is_cluster(path) else folder_or_address(path)
    if isinstance(followed, Path) and not followed.is_dir():
        raise CliError(f"{path} is not a folder", "give the folder of the policy documents, such as examples/embedded")
    with loading_solver():
        from controller.cli.live import connections_at, within
        from controller.cli.running import run_until_told, tell
        from controller.cluster.leading.marking import own_pod
        from controller.places import Places
    try:
        known = within(path, connections_at(connections)) if followed is None else connections_at(connections)
        kubeconfig = os.environ.get("KUBECONFIG")
        places = Places(
            followed, journal, known, environment=environment, kubeconfig=kubeconfig, pod=own_pod(os.environ)
        )
        asyncio.run(run_until_told(places, tell))
    except JournalError as error:
        raise in_two(error, ": ") from error
    except (KeysError, ConnectionsError) as error:
        raise in_two(error, ": ") from error
    except CallError as error:
        raise CliError(error.message, error.hint) from error
    return Exit.DONE
