"""What a clause does, and whether a service may be served by a pool, for people."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from collectors.evidence.records import FOREVER
from controller.access import Access, access
from controller.clause_effect import Effect, clauses_at, effects
from controller.cli.plan_view import SIGNS
from controller.cli.terminal import console, print_table, working, write_json
from controller.documents import Documents
from controller.grounds import Proof
from controller.testing.rest import rest
from controller.testing.scene import opening
from policy.words import dollars_per_hour
from rules.kernel.quantities import percent

if TYPE_CHECKING:
    from rich.console import Console


def explain_clause(documents: Documents, subject: str, *, as_json: bool) -> bool:
    """Tell of clauses, or of a service on a pool as SERVICE@POOL; False where the subject is neither."""
    policy, now = documents.policy, datetime.now(UTC)
    service, _, pool = subject.partition("@")
    if service in {each.name for each in policy.services} and pool in {each.name for each in policy.pools}:
        with working("Planning"):
            _, resting = rest(opening(policy, documents.evidence, now))
            found = access(service, pool, resting.candidates, documents, now)
        if as_json:
            write_json({"service": service, "pool": pool, "stages": found})
        else:
            show_access(console(), service, pool, found)
        return True
    written = clauses_at(policy, subject)
    if not written:
        return False
    with working("Planning with and without"):
        told = effects(written, documents, now)
    if as_json:
        write_json({"subject": subject, "clauses": told})
    else:
        show_effects(console(), told)
    return True


def show_effects(on: "Console", effects: Sequence[Effect]) -> None:
    """Each clause: what it bars, by which evidence, and what there would be without it."""
    for effect in effects:
        on.print(f"{effect.place}: {effect.clause}", markup=False)
        on.print(_part(effect))
        if effect.bars:
            rows = [(bar.service, bar.stage, bar.pool, bar.origin, bar.reason) for bar in effect.bars]
            print_table(on, "Barred", ("service", "stage", "pool", "from", "because"), rows)
        if effect.evidence:
            held = [_proof(proof) for proof in effect.evidence]
            print_table(on, "Evidence", ("pool", "of", "standard", "until", "at"), held)
        if effect.changes:
            moves = [(SIGNS[each.kind], each.subject, each.before, each.after) for each in effect.changes]
            print_table(on, "Without it", ("", "what", "now", "then"), moves)
        on.print(_cost(effect))
        on.print()


def show_access(on: "Console", service: str, pool: str, accesses: Sequence[Access]) -> None:
    """Each stage and origin: allowed or not, by which clause, and by which evidence."""
    rows = [(each.stage, each.origin, *_verdict(each)) for each in accesses]
    print_table(on, f"{service} on {pool}", ("stage", "from", "verdict", "because"), rows)
    grounds = dict.fromkeys((ground, each.stage) for each in accesses for ground in each.grounds)
    held = [
        (stage, ground.clause, str(ground.place), *(_proof(proof)[1:] if proof else ("nothing", "", "", "")))
        for ground, stage in grounds
        for proof in (ground.evidence or (None,))
    ]
    if held:
        on.print()
        print_table(on, "Evidence", ("stage", "clause", "asked at", "of", "standard", "until", "at"), held)


def _part(effect: Effect) -> str:
    slow = f"; {effect.barred_paths} paths are barred by it" if effect.barred_paths else ""
    if effect.takes_part:
        return "it takes part in the plan" + slow
    if effect.changes:
        return "it bars nothing and none of its limits is reached, but without it there would be another plan" + slow
    return "it takes no part in the plan" + slow


def _proof(proof: Proof) -> tuple[str, str, str, str, str]:
    until = "no end" if proof.expires_at == FOREVER else proof.expires_at.isoformat().replace("+00:00", "Z")
    return (proof.pool, proof.subject, f"{proof.standard} {proof.version}", until, str(proof.place))


def _cost(effect: Effect) -> str:
    now, then = effect.cost_millicents_per_hour, effect.without_millicents_per_hour
    if now == then:
        return f"without it the fleet would cost as much: {dollars_per_hour(now)}"
    less, word = abs(now - then), "less" if then < now else "more"
    return f"without it the fleet would cost {dollars_per_hour(less)} {word}: {dollars_per_hour(then)}"


def _verdict(each: Access) -> tuple[str, str]:
    if each.share_permille:
        return "serves", f"{percent(each.share_permille)} of the requests"
    if each.allowed:
        return "allowed", "the plan does without it"
    told = (f"{o.rule}: {o.reason}" + (f" ({o.place})" if o.place else "") for o in each.objections)
    return "barred", "; ".join(told)
