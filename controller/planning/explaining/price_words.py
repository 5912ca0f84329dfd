"""What a runner-up and more of something would cost or save, in words."""

from controller.planning.explaining.named_clause import clause_text
from controller.planning.explaining.runner_up import RunnerUp
from controller.planning.explaining.shadow import ShadowPrice
from policy.resolved import Policy
from policy.words import dollars_per_hour
from rules.kernel.quantities import percent


def runner_up_text(item: RunnerUp, policy: Policy) -> str:
    """A runner-up as one clause of a sentence."""
    because = clause_text(item.loses_by, item.place, policy) + f": {item.reason}" * bool(item.reason)
    about = "about " if item.about else ""
    if item.instead is None:
        given_up = f"{', '.join(item.gives_up)} would give up more; " if item.gives_up else ""
        return f"nothing instead: {given_up}{because}"
    return f"{item.instead}, {about}+{dollars_per_hour(item.extra_millicents_per_hour)}, loses by {because}"


def shadow_text(item: ShadowPrice) -> str:
    """What more of something is worth, as a sentence."""
    what = f"one more node in {item.pool}" if item.pool else f"twice the bandwidth of {' - '.join(item.link or ())}"
    about = "at least " * item.at_least + "about " * item.about
    if item.served_permille:
        return f"{what} serves {about}{percent(item.served_permille)} of a demand more"
    return f"{what} saves {about}{dollars_per_hour(item.saves_millicents_per_hour)}"
