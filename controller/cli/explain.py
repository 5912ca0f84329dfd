"""`gridwright explain`: why there, and why not elsewhere."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from controller.cli.arguments import AsJson, Environment, Folder
from controller.cli.errors import CliError, Exit
from controller.cli.solver import loading_solver
from controller.cli.terminal import console, print_table, write_json

if TYPE_CHECKING:
    from rich.console import Console

    from controller.documents import Documents
    from controller.explain import Candidate
    from controller.planning.explaining.explanation import Explanation
    from policy.resolved import Policy

FIGURES: Final = "+ is of what plans are chosen by: nodes, links, starts, and half the price of what instances take"
Subject = Annotated[
    str,
    typer.Argument(
        metavar="SUBJECT",
        help="A service, an option as model/variant@pool, a service on a pool as SERVICE@POOL, a clause as FILE:LINE, "
        "or all clauses of a document by its name, such as a ComplianceProfile's.",
    ),
]

Latency = Annotated[bool, typer.Option("--latency", help="Tell where a service's latency goes instead.")]
Journal = Annotated[
    Path | None, typer.Option("--journal", metavar="FILE", help="With --latency: also what a controller at work saw.")
]


def explain(
    path: Folder,
    subject: Subject,
    *,
    environment: Environment = "",
    latency: Latency = False,
    journal: Journal = None,
    as_json: AsJson = False,
) -> int:
    """Tell for each stage where it is served, and for every other placement the clause that is against it.

    Then what would stand instead of each placement, what more of a pool or link would save, and where not everything is
    served the smallest changes with which it would be.

    Of a clause: what it bars, with the evidence behind, and what the plan would cost without it. Of a service on a
    pool: whether it is allowed there, by which clause and evidence.

    With --latency: what of a service's latency is network, encoding, waiting and computing, as predicted and as seen.
    """
    from controller.cli.inputs import read

    documents = read(path, environment, as_json=as_json)
    if latency:
        return _explain_latency(documents, subject, journal, as_json=as_json)
    with loading_solver():
        from controller.cli.planning import decide_from_documents, exclusions_from_documents, explain_from_documents
    from controller.explain import candidates, subjects

    known = subjects(documents.policy)
    if subject not in known:
        from controller.cli.explain_clause import explain_clause

        if explain_clause(documents, subject.removeprefix(f"{path.folder}/"), as_json=as_json):
            return Exit.DONE
        raise CliError(f"nothing is named '{subject}'", _nearest(documents.policy, subject, known))
    decision = decide_from_documents(documents)
    every = candidates(documents.policy, decision, exclusions_from_documents(documents, decision))
    about = [item for item in every if subject in {item.service, str(item.placement)}]
    found = explain_from_documents(documents, decision, {item.placement for item in about})
    if as_json:
        told = {"subject": subject, "decision": decision.id, "verdict": decision.verdict, "candidates": about}
        write_json({**told, "explanation": found})
    else:
        _show(console(), about)
        show_explanation(console(), found, documents.policy)
    return Exit.DONE


def _explain_latency(documents: "Documents", service: str, journal: Path | None, *, as_json: bool) -> int:
    from controller.cli.latency import from_documents, from_journal, show
    from controller.nearest import nearest

    names = [item.name for item in documents.policy.services]
    if service not in names:
        raise CliError(f"no service is named '{service}'", nearest(service, names))
    found = from_journal(journal, service) if journal else from_documents(documents, service)
    if as_json:
        write_json({"service": service, "demands": found})
    else:
        show(console(), found)
    return Exit.DONE


def _nearest(policy: "Policy", subject: str, known: tuple[str, ...]) -> str:
    """What was probably meant: where clauses of that file stand, or the nearest name."""
    from controller.nearest import nearest
    from policy.clause_list import clauses_of

    written = clauses_of(policy)
    file = subject.partition(":")[0]
    lines = dict.fromkeys(str(each.place.line) for each in written if each.place.file == file)
    if lines:
        return f"clauses of {file} stand in the lines {', '.join(lines)}"
    return nearest(subject, (*known, *(each.name for each in written)))


def _show(on: "Console", about: "list[Candidate]") -> None:
    for service, stage in dict.fromkeys((item.service, item.stage) for item in about):
        rows = [
            (str(item.placement), item.origin, *_verdict(item))
            for item in about
            if (item.service, item.stage) == (service, stage)
        ]
        print_table(on, f"{service}, stage {stage}", ("placement", "from", "verdict", "because"), rows)
        on.print()


def show_explanation(on: "Console", found: "Explanation", policy: "Policy") -> None:
    """Runners-up, what more is worth, and why the plan falls short where it does."""
    from controller.cli import findings
    from controller.planning.explaining.explanation import Shortfall
    from controller.planning.explaining.price_words import runner_up_text, shadow_text
    from controller.planning.explaining.shortfall_words import shortfall_findings

    if found.runners_up:
        rows = [(str(item.placement), runner_up_text(item, policy)) for item in found.runners_up]
        print_table(on, "Runners-up", ("placement", "without it"), rows)
        if any(item.instead for item in found.runners_up):
            on.print(FIGURES, style="dim")
    for item in found.shadow_prices:
        on.print(shadow_text(item), highlight=False)
    short = Shortfall(found.conflicts, found.sacrifices, found.undecided, found.servable)
    findings.show(on, shortfall_findings(short, policy))


def _verdict(item: "Candidate") -> tuple[str, str]:
    if item.share_permille:
        plural = "" if item.instances == 1 else "s"
        sent = f", sent as {' or '.join(item.encodings)}" if item.encodings else ""
        return (
            "serves",
            f"{item.share_permille / 10:g} % of the requests, {item.instances} instance{plural} in all{sent}",
        )
    if item.objections:
        against = (f"{o.rule}: {o.reason}" + (f" ({o.place})" if o.place else "") for o in item.objections)
        return "barred", "; ".join(against)
    if item.instances:
        plural = "s stand" if item.instances > 1 else " stands"
        return "allowed", f"{item.instances} instance{plural} by, for availability, spares or a bound"
    return "allowed", "the plan does without it"
