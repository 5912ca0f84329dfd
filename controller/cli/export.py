"""`gridwright export`: a policy in the words of others."""

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from controller.cli.arguments import Environment, Folder
from controller.cli.errors import CliError, Exit

if TYPE_CHECKING:
    from datetime import datetime

    from policy.findings import Finding
    from policy.resolved import Policy

NodesOf = Annotated[
    str | None,
    typer.Option(
        "--nodes-of",
        metavar="CONTEXT",
        help="A context of the kubeconfig, whose nodes are those of pools by their labels.",
    ),
]

app = typer.Typer(no_args_is_help=True, help="Write a policy as others read it, on stdout.")


@app.command("openslo")
def openslo(path: Folder, *, environment: Environment = "") -> int:
    """Write the latency objectives as OpenSLO v1. What it has no words for is told on stderr."""
    from controller.cli.inputs import read
    from policy.openslo.writing import left_out, written

    policy = read(path, environment).policy
    sys.stdout.write(written(policy))
    _tell(left_out(policy))
    return Exit.DONE


@app.command("prometheus")
def prometheus(path: Folder, *, environment: Environment = "") -> int:
    """Write recording rules and burn-rate alerts for every latency objective, to stand among Prometheus' rule files."""
    from controller.alerting.rules import rule_file
    from controller.cli.inputs import read

    sys.stdout.write(rule_file(read(path, environment).policy))
    return Exit.DONE


@app.command("admission")
def admission(path: Folder, *, environment: Environment = "", nodes: NodesOf = None) -> int:
    """Write admission policies of Kubernetes: which nodes the pods of protected stages may be bound to.

    They hold as of now; the annotation gridwright.dev/valid-until says by when to write them anew.
    """
    import asyncio
    from datetime import UTC, datetime

    from controller.admission.judging import question
    from controller.admission.manifests import as_yaml, manifests
    from controller.admission.taking import refused
    from controller.cli.inputs import read

    documents, now = read(path, environment), datetime.now(UTC)
    policy = documents.policy if nodes is None else asyncio.run(_with_nodes_of(nodes, documents.policy, now))
    written = manifests(question(policy, documents.evidence, int(now.timestamp())))
    if refusal := next(refused(written), None):
        raise CliError(refusal.message, refusal.hint)
    sys.stdout.write(as_yaml(written))
    return Exit.DONE


async def _with_nodes_of(context: str, policy: "Policy", now: "datetime") -> "Policy":
    """The policy with the nodes of a context's cluster. Raises CliError."""
    from collectors.snapshot import Snapshot
    from controller.cluster.api_server.calls import Calls
    from controller.cluster.api_server.errors import CallError
    from controller.cluster.api_server.reaching import client
    from controller.cluster.inventory.collector import inventory_now
    from controller.planning.inventoried import inventoried

    try:
        async with client(context, os.environ.get("KUBECONFIG")) as reached:
            found = await inventory_now(Calls(reached), policy.pools, now)
    except CallError as error:
        raise CliError(error.message, error.hint) from error
    return inventoried(policy, Snapshot(now, inventory=found))


def _tell(findings: "tuple[Finding, ...]") -> None:
    from controller.cli.findings import show
    from controller.cli.terminal import console

    show(console(sys.stderr), findings)
