"""A leader that was deposed writes no more: the API server itself holds each write against the lease.

Each write says in which term of the lease it is meant. The controller says so by impersonating its own account with an
extra, which is part of the request and not of the object, so that deletions and evictions carry it, too. A
ValidatingAdmissionPolicy, whose parameter is the Lease, refuses what the account writes in another term than the
Lease's own, or in none. It judges what carries our label, evictions that the controller asks for included.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

import httpx

from controller.cluster.api_server.calls import Calls
from controller.cluster.api_server.errors import ForbiddenError
from controller.cluster.leading.lease import LEASE
from controller.cluster.names import MANAGED_BY, MANAGER, SYSTEM
from controller.cluster.servers.standing import key_of
from controller.cluster.servers.workloads import priority

NAME: Final = "gridwright-leader"
TERM: Final = "gridwright-term"
"""The extra that has the term."""
REFUSAL: Final = "the term is"
"""How the refusal of a write of another term begins."""

_SERVICE_ACCOUNT: Final = "system:serviceaccount:"
_EVERYBODY: Final = "system:authenticated"
_READS: Final = ("GET", "HEAD", "OPTIONS")
_JUDGED: Final = (
    ("", ("namespaces", "serviceaccounts", "services", "configmaps", "pods/eviction")),
    ("apps", ("statefulsets",)),
    ("policy", ("poddisruptionbudgets",)),
    ("networking.k8s.io", ("networkpolicies",)),
    ("gateway.networking.k8s.io", ("httproutes", "grpcroutes", "referencegrants")),
    ("scheduling.k8s.io", ("priorityclasses",)),
)
_HELD: Final = "string(params.spec.leaseTransitions) + '.' + params.spec.holderIdentity"
_MEANT: Final = f"'{TERM}' in request.userInfo.extra ? request.userInfo.extra['{TERM}'][0] : 'none'"


class DeposedError(Exception):
    """Somebody else leads, or may lead by now."""


class Fence(Protocol):
    """Who may write now, and in which term."""

    def term(self) -> str:
        """The term that a write of now is meant in. Raises DeposedError when somebody else may lead by now."""


@dataclass(frozen=True, slots=True)
class Account:
    """Who a client is to the API server: its user name, and its groups as far as they do not follow from that."""

    user: str
    groups: tuple[str, ...] = ()


def account_of(review: Mapping[str, Any]) -> Account:
    """The account that a SelfSubjectReview tells; its user name is empty where it tells none.

    The groups of a service account follow from its name: to name them, too, would take a right for each.
    """
    who = review.get("status", {}).get("userInfo", {})
    user = who.get("username", "")
    named = () if user.startswith(_SERVICE_ACCOUNT) else who.get("groups", ())
    return Account(user, tuple(group for group in named if group != _EVERYBODY))


def fence(client: httpx.AsyncClient, by: Fence, account: Account) -> None:
    """Have each write of a client say its term; `account` is who it is anyway.

    From then on writes of the client raise DeposedError, before anything is sent, when somebody else may lead.
    """

    async def say(request: httpx.Request) -> None:
        if request.method not in _READS:
            said = [("Impersonate-User", account.user), (f"Impersonate-Extra-{TERM}", by.term())]
            said += [("Impersonate-Group", group) for group in account.groups]
            request.headers = httpx.Headers([*request.headers.multi_items(), *said])

    hooks = client.event_hooks
    client.event_hooks = {**hooks, "request": [*hooks["request"], say]}


async def refuses_other_terms(calls: Calls, term: str) -> bool:
    """Whether the API server holds writes against the lease as it stands in that term.

    It is asked, by calls that say no term, for a write that would change nothing: it learns of a new lease some time
    after it stored it. Raises CallError when it answers anything else.
    """
    probe = priority()
    try:
        await calls.apply(key_of(probe).path, probe, MANAGER, dry_run=True)
    except ForbiddenError as error:
        if REFUSAL not in error.message:
            raise
        return f"{REFUSAL} {term}," in error.message
    return False


def manifests(account: str) -> Iterator[dict[str, Any]]:
    """The policy and its binding. `account` is the controller's user name, as the API server has it."""
    group = "admissionregistration.k8s.io/v1"
    yield {
        "apiVersion": group,
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": NAME},
        "spec": {
            "failurePolicy": "Fail",
            "paramKind": {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease"},
            # By labels, too: while there is no lease, whatever is matched here is refused, whoever asks for it.
            "matchConstraints": {
                "resourceRules": [_rule(of, resources) for of, resources in _JUDGED],
                "objectSelector": {"matchLabels": {MANAGED_BY: MANAGER}},
            },
            "matchConditions": [
                {"name": "by-the-controller", "expression": f"request.userInfo.username == '{account}'"}
            ],
            "variables": [{"name": "held", "expression": _HELD}, {"name": "meant", "expression": _MEANT}],
            "validations": [
                {
                    "expression": "variables.meant == variables.held",
                    "messageExpression": f"'{REFUSAL} ' + variables.held + ', and this is of ' + variables.meant",
                    "reason": "Forbidden",
                }
            ],
        },
    }
    yield {
        "apiVersion": group,
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": NAME},
        "spec": {
            "policyName": NAME,
            "validationActions": ["Deny"],
            "paramRef": {"name": LEASE, "namespace": SYSTEM, "parameterNotFoundAction": "Deny"},
        },
    }


def _rule(of: str, resources: tuple[str, ...]) -> dict[str, Any]:
    operations = ["CREATE", "UPDATE", "DELETE"]
    return {"apiGroups": [of], "apiVersions": ["*"], "operations": operations, "resources": list(resources)}
