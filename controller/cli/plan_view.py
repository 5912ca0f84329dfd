"""A plan for people."""

from typing import TYPE_CHECKING, Final

from controller.cli import findings
from controller.cli.terminal import print_table
from controller.decision import Proof, Verdict
from controller.planning.diff import Kind
from controller.summary import Proposal, Summary
from policy.words import dollars_per_hour
from rules.kernel.problem import WHOLE_PERMILLE
from rules.kernel.quantities import percent

if TYPE_CHECKING:
    from rich.console import Console

SIGNS: Final = {Kind.ADD: "+", Kind.CHANGE: "~", Kind.REMOVE: "-"}
WHOLE_FROM_US: Final = 10_000
NONE: Final = "-"
STANDBY: Final = "no traffic now; availability, a bound or a guard asks for it"
OPTIMAL_OF: Final = "optimal: no plan has less of this cost with starts and half the price of what instances take"
"""By what plans are chosen, which is more than what is paid (docs/planning.md)."""
HEADLINES: Final = {
    Verdict.KEEP: "Nothing to change",
    Verdict.CHANGE: "Something to change",
    Verdict.IMPOSSIBLE: "No allowed plan was found",
}


def show(on: "Console", proposal: Proposal) -> None:
    """What changes, what is promised, why, and what to know of it."""
    summary = proposal.plan
    until = f", valid until {summary.valid_until.isoformat()}" if summary.valid_until else ""
    cost = cost_told(summary.cost_millicents_per_hour, summary.links_millicents_per_hour)
    on.print(f"[bold]{HEADLINES[summary.verdict]}[/]: {cost}, {summary.proof}{until}{_shortfall(summary)}")
    if summary.proof is Proof.OPTIMAL:
        on.print(OPTIMAL_OF, style="dim")
    _changes(on, proposal)
    _promises(on, summary)
    if summary.asleep:
        on.print(f"asleep, since nobody asks: {', '.join(summary.asleep)}")
    _reasons(on, summary)
    if summary.findings:
        on.print()
        findings.show(on, summary.findings)


def _shortfall(summary: Summary) -> str:
    """That even the best plan is less than what was asked for, where it is."""
    refused = any(item.served_permille < WHOLE_PERMILLE for item in summary.forecasts)
    if refused:
        return "; [red]some requests are refused[/]"
    return "; [yellow]some services are degraded[/]" if summary.degraded else ""


def _changes(on: "Console", proposal: Proposal) -> None:
    rows = [(SIGNS[change.kind], change.subject, change.before, change.after) for change in proposal.changes]
    if rows:
        on.print()
        print_table(on, "Changes", ("", "what", "now", "then"), rows)
    if proposal.plan.steps:
        steps = ", then ".join(f"{step.name} ({step.duration_us / 1_000_000:.0f} s)" for step in proposal.plan.steps)
        on.print(f"in steps: {steps}; about {proposal.plan.transition_us / 1_000_000:.0f} s")


def _promises(on: "Console", summary: Summary) -> None:
    begins = any(item.first_p99_us for item in summary.forecasts)
    rows = [
        (
            item.service,
            item.origin,
            f"{item.rate_milli_rps / 1000:g} req/s",
            *map(_latency, (item.p50_us, item.p95_us, item.p99_us)),
            *((_latency(item.first_p99_us),) if begins else ()),
            percent(item.served_permille),
        )
        for item in summary.forecasts
    ]
    first = ("first response p99",) if begins else ()
    on.print()
    print_table(on, "Predicted", ("service", "origin", "planned for", "p50", "p95", "p99", *first, "served"), rows)


def _latency(value_us: int | None) -> str:
    return NONE if value_us is None else milliseconds(value_us)


def _reasons(on: "Console", summary: Summary) -> None:
    rows = [(str(item.placement), str(item.instances), ", ".join(item.serves) or STANDBY) for item in summary.reasons]
    if rows:
        on.print()
        print_table(on, "Why", ("placement", "instances", "serves"), rows)


def cost_told(millicents_per_hour: int, links_millicents_per_hour: int) -> str:
    """What is paid, and the links' part of it where there is one."""
    links = f" ({dollars_per_hour(links_millicents_per_hour)} of it for links)" if links_millicents_per_hour else ""
    return f"{dollars_per_hour(millicents_per_hour)}{links}"


def milliseconds(value_us: int) -> str:
    """A predicted latency in as many digits as the prediction is worth."""
    return f"{value_us / 1000:.0f} ms" if value_us >= WHOLE_FROM_US else f"{value_us / 1000:.1f} ms"
