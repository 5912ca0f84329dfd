"""The clause on attested nodes, and what a result has to say to answer it."""

from dataclasses import dataclass
from typing import Final, Protocol

from policy.findings import Place

ATTESTATION: Final = "attestation"
"""The standard that an Issuer must be allowed for its attestation results to count."""
AFFIRMING: Final = "affirming"
WARNING: Final = "warning"
"""The tiers of AR4SI at which a result may count."""


@dataclass(frozen=True, slots=True)
class Tcb:
    """How up to date a trusted execution environment is, as its maker tells: by a word, by numbers, or not at all.

    `status` is Intel's, such as UpToDate; `versions` are AMD's reported security versions, (name, 0 to 255), by name.
    """

    status: str = ""
    versions: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class TcbClause:
    """Of every environment the status is one of `statuses`, or each of the versions is at least that in `versions`."""

    statuses: tuple[str, ...]
    versions: tuple[tuple[str, int], ...]

    def met_by(self, tcb: Tcb) -> bool:
        """Whether an environment is up to date enough; one that says nothing is not."""
        if tcb.status:
            return tcb.status in self.statuses
        reported = dict(tcb.versions)
        return bool(self.versions) and all(reported.get(name, -1) >= least for name, least in self.versions)

    def is_within(self, other: "TcbClause") -> bool:
        """Whether every environment that this one means is meant by the other one."""
        least = dict(self.versions)
        by_status = set(self.statuses) <= set(other.statuses)
        by_version = not self.versions or (
            bool(other.versions) and all(least.get(name, -1) >= version for name, version in other.versions)
        )
        return by_status and by_version

    def __str__(self) -> str:
        versions = ", ".join(f"{name} {least}" for name, least in self.versions)
        return f"TCB {' or '.join(each for each in (*self.statuses, versions) if each)}"


class Appraised(Protocol):
    """What a verifier found: of whom, records tell."""

    @property
    def verifier(self) -> str:
        """The name of its Issuer."""

    @property
    def tier(self) -> str:
        """That of the worst part."""

    @property
    def tees(self) -> tuple[str, ...]:
        """The trusted execution environments that any part names."""

    @property
    def claims(self) -> tuple[str, ...]:
        """The trustworthiness claims that every part affirms."""

    @property
    def devices(self) -> tuple[str, ...]:
        """The features that every device has; nothing where there is no device."""

    @property
    def tcbs(self) -> tuple[Tcb, ...]:
        """How up to date the environments are, one by one."""

    @property
    def answers(self) -> bool:
        """Whether it carries a nonce that was given out for its subject."""


@dataclass(frozen=True, slots=True)
class AttestationClause:
    """A verifier must have affirmed the nodes, no longer than `max_age_s` ago (0 for any age).

    Their trusted execution environments are all among `tees`, and there is one (for () there need not be any); every
    part affirms `claims`, and every device has `devices`. The verifier is one of `verifiers`, the names of Issuers (any
    for ()). A part may be warned of where `min_tier` says so. With a `tcb` there is an environment, and each is as up
    to date as it says. With `nonce` the result carries one that was given out, and its age counts from then.
    """

    tees: tuple[str, ...]
    claims: tuple[str, ...]
    devices: tuple[str, ...]
    verifiers: tuple[str, ...]
    max_age_s: int
    place: Place
    min_tier: str = AFFIRMING
    tcb: TcbClause | None = None
    nonce: bool = False

    def met_by(self, result: Appraised) -> bool:
        """Whether such a result is meant, whatever its age."""
        return (
            (not self.verifiers or result.verifier in self.verifiers)
            and result.tier in {AFFIRMING, self.min_tier}
            and (result.answers or not self.nonce)
            and (not self.tees or (bool(result.tees) and set(result.tees) <= set(self.tees)))
            and set(self.claims) <= set(result.claims)
            and set(self.devices) <= set(result.devices)
            and (self.tcb is None or (bool(result.tcbs) and all(map(self.tcb.met_by, result.tcbs))))
        )

    def is_within(self, other: "AttestationClause") -> bool:
        """Whether every result that this one means is meant by the other one."""
        return (
            is_among(self.tees, other.tees)
            and is_among(self.verifiers, other.verifiers)
            and self.min_tier in {AFFIRMING, other.min_tier}
            and (self.nonce or not other.nonce)
            and set(other.claims) <= set(self.claims)
            and set(other.devices) <= set(self.devices)
            and (other.tcb is None or (self.tcb is not None and self.tcb.is_within(other.tcb)))
            and (not other.max_age_s or 0 < self.max_age_s <= other.max_age_s)
        )

    def __str__(self) -> str:
        words = [*self.claims, *self.devices, str(self.tcb or ""), "nonce" if self.nonce else ""]
        asked = [each for each in (" or ".join(self.tees), *words) if each]
        return f"attestation ({', '.join(asked)})" if asked else "attestation"


def is_among(words: tuple[str, ...], allowed: tuple[str, ...]) -> bool:
    """Whether all that the words mean is allowed; none of them mean anything."""
    return not allowed or (bool(words) and set(words) <= set(allowed))
