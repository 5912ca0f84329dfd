"""Acting on nothing: what would be done is noted and left undone."""

from controller.actions import Action
from policy.resolved import Policy


class DryRun:
    """Takes every action and keeps the list; give it as the only actuator to watch decisions without effect."""

    name = "dry-run"

    def __init__(self) -> None:
        self.noted: list[tuple[str, Action]] = []

    def handles(self, action: Action) -> bool:  # noqa: ARG002 - the protocol asks; the answer is the same for all
        """Always."""
        return True

    async def apply(self, decision_id: str, action: Action, policy: Policy) -> None:  # noqa: ARG002 - see above
        """Note the action."""
        if (decision_id, action) not in self.noted:
            self.noted.append((decision_id, action))
