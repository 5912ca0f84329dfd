"""Why a commit is not taken.

GitError
├── UnreachableError
└── RefusedError
"""

from policy.findings import Finding, Level


class GitError(Exception):
    """Nothing new comes from a repository, for the reason in the finding. `subject` is the address."""

    def __init__(self, finding_id: str, subject: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.finding = Finding(finding_id, Level.ERROR, message, hint, subject=subject)


class UnreachableError(GitError):
    """The repository could not be asked; a later look may."""


class RefusedError(GitError):
    """What the repository holds is not taken."""
