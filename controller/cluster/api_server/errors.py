"""Why a call to the API server came to nothing, told apart as far as a caller acts on it."""

from collections.abc import Mapping
from typing import Any, Final

from policy.documents import API_VERSION

TOLD_CHARACTERS: Final = 300
FIELD_MANAGER: Final = "FieldManagerConflict"
DISRUPTION_BUDGET: Final = "DisruptionBudget"


class CallError(Exception):
    """A call came to nothing: what is wrong, and the next step; `asked_s` is how long the server asks to wait."""

    def __init__(self, message: str, hint: str, *, asked_s: float = 0.0) -> None:
        super().__init__(f"{message}: {hint}")
        self.message = message
        self.hint = hint
        self.asked_s = asked_s


class UnansweredError(CallError):
    """Nothing, or nothing whole, came back in time. A write may have been done all the same."""


class SilentError(UnansweredError):
    """A watch that had begun told nothing for a long time. Nothing may have happened."""


class RefusedError(CallError):
    """The API server said no.

    `status` is that of HTTP, `reason` the API server's word for it, `causes` its reasons in detail, each with its
    `reason`, `message` and `field` as far as they are told.
    """

    def __init__(
        self,
        message: str,
        hint: str,
        *,
        status: int,
        reason: str = "",
        causes: tuple[Mapping[str, str], ...] = (),
        asked_s: float = 0.0,
    ) -> None:
        super().__init__(message, hint, asked_s=asked_s)
        self.status = status
        self.reason = reason
        self.causes = causes

    def is_because_of(self, cause: str) -> bool:
        """Whether one of the causes is of that kind."""
        return any(each.get("reason") == cause for each in self.causes)


class ForbiddenError(RefusedError):
    """401 or 403: it is not known who asks, or they may not, or a quota or an admission policy is against it."""


class MissingError(RefusedError):
    """404: there is no such object, or no such resource."""


class ConflictError(RefusedError):
    """409: somebody else owns the field, changed the object in between, or made one of that name."""


class GoneError(RefusedError):
    """410: what the call goes on from is no longer known. List anew."""


class BusyError(RefusedError):
    """429 or 5xx, to the end of the time that the call had."""


_KINDS: Final[Mapping[int, tuple[type[RefusedError], str]]] = {
    401: (ForbiddenError, "see whether its credentials have ended"),
    403: (ForbiddenError, "see whether the controller's role, the quota and the admission policies allow it"),
    404: (MissingError, "see whether it was deleted meanwhile, and whether the cluster serves resources of its kind"),
    409: (ConflictError, "look at who else writes to it: `kubectl get --show-managed-fields`"),
    410: (GoneError, "nothing to do: it is listed anew"),
}
_BUSY: Final = (BusyError, "see the load and the log of the API server; it is tried again")
_OTHER: Final = (RefusedError, "report it with the message: the call is not as the API server takes it")


def refused(call: str, status: int, answer: Any, asked_s: float = 0.0) -> RefusedError:
    """The error for an answer that is no success; `answer` is a `Status` of the API server, or whatever came."""
    told = answer if isinstance(answer, Mapping) else {}
    kind, hint = _BUSY if status == 429 or status >= 500 else _KINDS.get(status, _OTHER)  # noqa: PLR2004 - HTTP's
    if kind is MissingError and f"/apis/{API_VERSION}/" in call:
        hint = "see whether deploy/crds is applied, and whether the resource was deleted"
    said = " ".join(str(told.get("message") or answer or "").split())[:TOLD_CHARACTERS]
    details = told.get("details")
    causes = details.get("causes") if isinstance(details, Mapping) else None
    return kind(
        f"{call} is answered with {status} {said}".rstrip(),
        hint,
        status=status,
        reason=str(told.get("reason") or ""),
        causes=tuple(each for each in causes or () if isinstance(each, Mapping)),
        asked_s=asked_s,
    )
