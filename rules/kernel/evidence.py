"""What is said of sites, pools, nodes and artefacts, from one second to another: all that rules know of evidence."""

from dataclasses import dataclass

from policy.clauses import AFFIRMING, AttestationClause, Tcb
from policy.data_flow import Datum


@dataclass(frozen=True, slots=True)
class Held:
    """A certification that a site or a pool holds from one second to another (Unix time, the end excluded)."""

    subject_kind: str
    subject: str
    standard: str
    version: tuple[int, ...]
    from_s: int
    until_s: int


@dataclass(frozen=True, slots=True)
class Attested:
    """What a verifier affirmed of a site, a pool or a node at `appraised_s`, from one second to another (Unix time).

    A node is called POOL/NODE. `tees` are the trusted execution environments of its parts, `claims` those of AR4SI that
    every part affirms, `devices` what every device in it has. `verifier` is the Issuer's name, `tier` that of the worst
    part, and `tcbs` tell how up to date each environment is. `nonce_s` is when a nonce that it carries was given out
    for it, if any was.
    """

    subject_kind: str
    subject: str
    verifier: str
    tees: tuple[str, ...]
    claims: tuple[str, ...]
    devices: tuple[str, ...]
    appraised_s: int
    from_s: int
    until_s: int
    tier: str = AFFIRMING
    tcbs: tuple[Tcb, ...] = ()
    nonce_s: int | None = None

    @property
    def answers(self) -> bool:
        """Whether it carries a nonce that was given out for it."""
        return self.nonce_s is not None

    def since_s(self, clause: AttestationClause) -> int:
        """From when a clause counts its age."""
        return self.nonce_s if clause.nonce and self.nonce_s is not None else self.appraised_s


@dataclass(frozen=True, slots=True)
class Vouched:
    """What a signer, by the name of its Issuer, says of the artefact with a digest from one second to another.

    `removes` is the data that the artefact's output does not carry on, where that is what is said, in its order.
    """

    digest: str
    signer: str
    standard: str
    version: tuple[int, ...]
    from_s: int
    until_s: int
    removes: tuple[Datum, ...] = ()
