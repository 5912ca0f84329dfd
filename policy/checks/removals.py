"""What stages are declared to remove, where nothing can come of it; judged only when every document could be read."""

from collections.abc import Iterator

from policy.catalogue import warning
from policy.clauses import DATA_REMOVAL
from policy.data_flow import Datum, handled, removals
from policy.findings import Finding
from policy.resolved import Policy, Removal, Service, Stage


def odd_removals(policy: Policy) -> Iterator[Finding]:
    """Warnings for removals that change nothing, and for those that no Issuer may vouch for."""
    for service in policy.services:
        for stage in service.stages:
            if stage.removes:
                yield from _without_effect(service, stage, stage.removes)
                yield from _vouched_for_by_nobody(policy, stage, stage.removes)


def _without_effect(service: Service, stage: Stage, removal: Removal) -> Iterator[Finding]:
    if not removal.data:
        message = f"`removes` of stage `{stage.name}` names neither classes nor subjects"
        yield warning("GW0386", removal.place, message, "name what its output does not carry on, or take it out")
    for datum in sorted(removal.data):
        if datum not in handled(service)[stage.name]:
            message = f"stage `{stage.name}` removes the {datum}, which never gets there"
            hint = "mend the word, state it in the `data` of the service, or take it out"
            yield warning("GW0386", removal.place, message, hint)
        elif not _spares_any(service, stage, datum):
            message = f"stage `{stage.name}` removes the {datum}, and no stage handles less for it"
            hint = "add `reads: outputs` to the stages after it that are sent its output alone, or take it out"
            yield warning("GW0386", removal.place, message, hint)


def _spares_any(service: Service, stage: Stage, datum: Datum) -> bool:
    """Whether any stage handles less for it, beside all other removals or without them."""
    this, every = (stage.name, datum), removals(service)
    return handled(service, {this}) != handled(service) or handled(service, every) != handled(service, every - {this})


def _vouched_for_by_nobody(policy: Policy, stage: Stage, removal: Removal) -> Iterator[Finding]:
    may = {each.name for each in policy.issuers if DATA_REMOVAL in each.standards and stage.model in each.models}
    if not may & set(removal.verifiers or may):
        who = "none of the `verifiers`" if removal.verifiers else "no Issuer"
        message = f"{who} may state `{DATA_REMOVAL}` of `{stage.model}`, so nothing counts as removed"
        hint = f"add `{DATA_REMOVAL}` to `claims.standards` of an Issuer, and the model to its `claims.models`"
        yield warning("GW0387", removal.place, message, hint)
