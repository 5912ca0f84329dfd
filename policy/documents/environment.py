"""Environment: which of their values variables have; `--environment` says the same."""

from policy.documents.base import Spec


class EnvironmentSpec(Spec):
    """Nothing but its name, which is the environment's."""
