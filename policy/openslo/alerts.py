"""AlertPolicy, AlertCondition and AlertNotificationTarget: when somebody is told, and how."""

from typing import ClassVar, Literal

from pydantic import Field

from policy.documents.base import Spec
from policy.openslo.parts import Description, DnsLabel, Duration, Metadata, Number, Operator, RefOrInline, Text


class Condition(Spec):
    """How fast the budget may burn."""

    kind: Literal["burnrate"]
    op: Operator
    threshold: Number
    lookback_window: Duration
    alert_after: Duration | None = None


class AlertConditionSpec(Spec):
    """A condition and how bad it is."""

    severity: Text
    condition: Condition
    description: Description = ""


class AlertNotificationTargetSpec(Spec):
    """Who is told."""

    target: Text
    description: Description = ""


class PolicyCondition(RefOrInline):
    """A condition of a policy."""

    reference: ClassVar[str] = "condition_ref"

    condition_ref: DnsLabel | None = None
    kind: Literal["AlertCondition"] | None = None
    metadata: Metadata | None = None
    spec: AlertConditionSpec | None = None


class PolicyTarget(RefOrInline):
    """A target of a policy."""

    reference: ClassVar[str] = "target_ref"

    target_ref: DnsLabel | None = None
    kind: Literal["AlertNotificationTarget"] | None = None
    metadata: Metadata | None = None
    spec: AlertNotificationTargetSpec | None = None


class AlertPolicySpec(Spec):
    """One condition, and who is told when it holds."""

    description: Description = ""
    alert_when_no_data: bool = False
    alert_when_resolved: bool = False
    alert_when_breaching: bool = False
    conditions: list[PolicyCondition] = Field(min_length=1, max_length=1)
    notification_targets: list[PolicyTarget] = Field(min_length=1)


class SloAlertPolicy(RefOrInline):
    """An alert policy of an SLO."""

    reference: ClassVar[str] = "alert_policy_ref"

    alert_policy_ref: DnsLabel | None = None
    kind: Literal["AlertPolicy"] | None = None
    metadata: Metadata | None = None
    spec: AlertPolicySpec | None = None
