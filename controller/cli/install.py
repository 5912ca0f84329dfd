"""`gridwright install`: the controller into a cluster, and out of it again."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from controller.cli.arguments import Environment
from controller.cli.errors import CliError, Exit
from controller.cli.terminal import working
from policy.cluster.resources import PREFIX

if TYPE_CHECKING:
    from controller.cluster.installation.installed import Manifest
    from controller.cluster.installation.installing import Step

NEEDED: Final = "Needed, but with --remove and --definitions."
Context = Annotated[
    str, typer.Option("--context", metavar="NAME", help="The context of the kubeconfig to install into.")
]
Image = Annotated[
    str, typer.Option("--image", metavar="IMAGE", help=f"The image, as the cluster's nodes pull it. {NEEDED}")
]
PolicyAddress = Annotated[
    str,
    typer.Option("--policy", metavar="ADDRESS", help="Where the policy is: git+URL@REF:FOLDER; else custom resources."),
]
ServersFile = Annotated[
    Path | None,
    typer.Option("--connections", metavar="FILE", help=f"The document that tells where servers are. {NEEDED}"),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done, and do nothing.")]
Definitions = Annotated[
    bool,
    typer.Option(
        "--definitions", help="Only the definitions of custom resources, also where Helm has installed the rest."
    ),
]
Remove = Annotated[bool, typer.Option("--remove", help="Remove all that was installed.")]

OF_INSTALLATION: Final[dict[str, Any]] = {
    "api": True,
    "otlp": True,
    "otlp_grpc": True,
    "beyond_loopback": True,
    "cluster": {"context"},
}
"""What an installation says itself of the connections."""


def install(
    *,
    context: Context,
    image: Image = "",
    policy: PolicyAddress = PREFIX,
    connections: ServersFile = None,
    environment: Environment = "",
    dry_run: DryRun = False,
    definitions: Definitions = False,
    remove: Remove = False,
) -> int:
    """Install the controller into a cluster, or remove it. What will be done is checked and shown first.

    Checked are the version of Kubernetes, your rights and, by a dry run, each object, but for those of a namespace that
    is not there yet, and that this release reads all documents that the cluster holds. --image and --connections are
    needed, but with --remove and --definitions. Exits 0 when all is done or nothing has to be, 2 when --dry-run would
    do something, and 1 when it cannot be done.
    """
    import asyncio

    from controller.cluster.api_server.errors import CallError
    from controller.cluster.installation.installed import installed, is_definition

    if definitions and remove:
        raise CliError("--definitions and --remove are of two minds", "give one of them")
    manifests = installed(None if remove or definitions else _settings(image, policy, connections, environment))
    if definitions:
        manifests = tuple(each for each in manifests if is_definition(each))
    try:
        steps = asyncio.run(_asked(context, manifests, dry_run=dry_run, remove=remove))
    except CallError as error:
        raise CliError(error.message, error.hint) from error
    is_change = any(step.is_change for step in steps)
    if dry_run:
        print("Nothing was done." if is_change else "Nothing is to be done.")
        return Exit.CHANGE if is_change else Exit.DONE
    if is_change and not remove and not definitions:
        print("Watch it start with `kubectl --namespace gridwright-system rollout status deployment/gridwright`.")
    return Exit.DONE


async def _asked(context: str, manifests: "tuple[Manifest, ...]", *, dry_run: bool, remove: bool) -> "tuple[Step, ...]":
    """What is to be done, shown and, but for a dry run, done."""
    from controller.cluster.api_server.calls import Calls
    from controller.cluster.api_server.reaching import client
    from controller.cluster.installation.installing import carry_out, to_install, to_remove

    async with client(context, os.environ.get("KUBECONFIG")) as reached:
        calls = Calls(reached)
        with working("Asking the cluster"):
            steps = await (to_remove if remove else to_install)(calls, manifests)
        for step in steps:
            print(step)
        if not dry_run:
            with working("Removing" if remove else "Installing"):
                await carry_out(calls, steps)
    return steps


def _settings(image: str, policy: str, connections: Path | None, environment: str) -> Any:
    """What the installation is told. Raises CliError."""
    from controller.cluster.installation.installed import Settings
    from policy.git.address import AddressError, parse_address

    if connections is None or not image:
        missing = ", ".join(
            option for option, given in (("--image", image), ("--connections", connections)) if not given
        )
        raise CliError(f"an installation needs {missing} as well", "`gridwright install --help` tells what they are")
    if policy != PREFIX:
        try:
            parse_address(policy)
        except AddressError as error:
            raise CliError(f"{policy} is no address of a folder in a repository", str(error)) from error
    return Settings(image, policy, _servers(connections), environment)


def _servers(file: Path) -> Mapping[str, Any]:
    """The connections as the cluster is told them. Raises CliError, also where they lead to files of this machine."""
    from controller.connections.reading import FILES, ConnectionsError, read_connections

    try:
        read = read_connections(file, beyond_loopback=True)
    except ConnectionsError as error:
        message, _, hint = str(error).rpartition("; ")
        raise CliError(message, hint) from error
    if read.cluster is None:
        raise CliError(f"{file} names no cluster, by which replicas elect one", "add `cluster`: see docs/operations.md")
    of_prometheus = any(getattr(each, name) for each in read.prometheus for name in FILES)
    if read.gateways or read.cluster.evidence or of_prometheus or read.sites or read.database:
        raise CliError(
            f"{file} names folders, files, sites or a database, which the cluster does not have",
            "use the Helm chart, whose values bring them there (docs/kubernetes.md)",
        )
    return read.model_dump(mode="json", by_alias=True, exclude_none=True, exclude=OF_INSTALLATION)
