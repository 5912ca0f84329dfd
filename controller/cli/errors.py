"""What a command gives up with.

CliError
└── BrokenPolicyError
"""

from enum import IntEnum

from policy.findings import Finding


class Exit(IntEnum):
    """The exit statuses that mean something to a script."""

    DONE = 0
    BAD_INPUT = 1
    CHANGE = 2
    IMPOSSIBLE = 3


class CliError(Exception):
    """A command cannot go on: what is wrong, and the next step."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class BrokenPolicyError(CliError):
    """The policy documents have errors, which the findings tell; `as_json` says how they were asked for."""

    def __init__(self, source: str, findings: tuple[Finding, ...], *, as_json: bool) -> None:
        super().__init__(f"the documents of {source} have errors", "correct them; nothing was planned or changed")
        self.findings = findings
        self.as_json = as_json


def in_two(error: Exception, before_step: str) -> CliError:
    """An error whose message ends with the next step, after the last `before_step`, in a command's words."""
    what, _, step = str(error).rpartition(before_step)
    return CliError(what, step)
