"""`gridwright export`: a policy in the words of others."""

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from controller.cli.arguments import CONNECTIONS_HELP, AsJson, Environment, Folder
from controller.cli.errors import CliError, Exit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from controller.cli.handing_over import Written
    from controller.cli.sources import Source
    from controller.cluster.handover.shares import Shares
    from policy.findings import Finding

NODES_HELP: Final = "A context of the kubeconfig, whose nodes are those of pools by their labels."
NodesOf = Annotated[str | None, typer.Option("--nodes-of", metavar="CONTEXT", help=NODES_HELP)]
HandoverFile = Annotated[
    Path, typer.Option("--connections", metavar="FILE", help=f"{CONNECTIONS_HELP} Its `handover` names clusters.")
]
NodesOfAll = Annotated[
    list[str] | None,
    typer.Option("--nodes-of", metavar="CONTEXT", help=f"{NODES_HELP} May be given more than once."),
]
Output = Annotated[
    Path | None, typer.Option("--output", metavar="FOLDER", help="Write a file for each cluster there instead.")
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

    from collectors.snapshot import Snapshot
    from controller.admission.judging import question
    from controller.admission.manifests import as_yaml, manifests
    from controller.admission.taking import refused
    from controller.cli.inputs import read
    from controller.cli.nodes import nodes_of
    from controller.planning.inventoried import inventoried

    documents, now = read(path, environment), datetime.now(UTC)
    policy = documents.policy
    if nodes is not None:
        policy = inventoried(policy, Snapshot(now, inventory=asyncio.run(nodes_of([nodes], policy.pools, now))))
    written = manifests(question(policy, documents.evidence, int(now.timestamp())))
    if refusal := next(refused(written), None):
        raise CliError(refusal.message, refusal.hint)
    sys.stdout.write(as_yaml(written))
    return Exit.DONE


@app.command("ocm")
def ocm(
    path: Folder,
    *,
    connections: HandoverFile,
    environment: Environment = "",
    nodes: NodesOfAll = None,
    output: Output = None,
    as_json: AsJson = False,
) -> int:
    """Write a plan as ManifestWorks of Open Cluster Management, for the clusters that its hub keeps.

    Exits 1, with nothing written, where the plan cannot be handed over, and 3 when no allowed plan was found.
    """
    from controller.cluster.handover.ocm import manifest_works, refused

    asked = _Handover(path, environment, connections, nodes or [], output, as_json=as_json)
    return _hand_over(asked, manifest_works, refused)


@app.command("karmada")
def karmada(
    path: Folder,
    *,
    connections: HandoverFile,
    environment: Environment = "",
    nodes: NodesOfAll = None,
    output: Output = None,
    as_json: AsJson = False,
) -> int:
    """Write a plan as templates of Karmada with their propagation policies, for the clusters that it keeps.

    Exits 1, with nothing written, where the plan cannot be handed over, and 3 when no allowed plan was found.
    """
    from controller.cluster.handover.karmada import templates

    asked = _Handover(path, environment, connections, nodes or [], output, as_json=as_json)
    return _hand_over(asked, templates)


@dataclass(frozen=True, slots=True)
class _Handover:
    """How a plan is asked for that is handed over."""

    path: "Source"
    environment: str
    connections: Path
    contexts: "list[str]"
    output: Path | None
    as_json: bool


def _hand_over(
    asked: _Handover,
    form: "Callable[[Shares, Mapping[str, str]], Written]",
    refused: "Callable[[Shares], Iterable[Finding]]" = lambda _: (),
) -> int:
    from controller.cli.inputs import read
    from controller.cli.solver import loading_solver
    from controller.cli.terminal import write_json
    from controller.decision import Verdict

    with loading_solver():
        from controller.cli.handing_over import as_text, decided, handed_over, write

    documents = read(asked.path, asked.environment, as_json=asked.as_json)
    decision = decided(documents, asked.contexts)
    handed = handed_over(decision, documents, asked.connections, form, refused)
    fails = Exit.IMPOSSIBLE if decision.verdict is Verdict.IMPOSSIBLE else Exit.BAD_INPUT if handed.is_refused else None
    if asked.as_json:
        write_json(handed if fails is None else replace(handed, groups={}))
    else:
        _tell(handed.findings)
    if fails is None and asked.output is not None:
        write(handed.groups, asked.output)
    elif fails is None and not asked.as_json:
        sys.stdout.write(as_text(each for group in handed.groups.values() for each in group))
    return fails or Exit.DONE


def _tell(findings: "tuple[Finding, ...]") -> None:
    from controller.cli.findings import show
    from controller.cli.terminal import console

    show(console(sys.stderr), findings)
