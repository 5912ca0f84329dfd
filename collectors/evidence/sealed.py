"""A signed token before anybody is believed: what its header names, what it says, and what is signed of it."""

import hashlib
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Sealed:
    """A token taken apart. `algorithm` and `kid` are as its header has them, of any type; None where it has none.

    `claims` go by the names that JWT and EAT give them. `signed` are the octets under the `signature`, which for ECDSA
    is r and s in a row, as JOSE and COSE both write it.
    """

    algorithm: object
    kid: object
    claims: dict[str, Any]
    signed: bytes
    signature: bytes

    @property
    def digest(self) -> str:
        """What the token is called in records of it: the SHA-256 in hex of what is signed.

        A signature is left out: whoever has one of ECDSA can make another one that fits as well.
        """
        return hashlib.sha256(self.signed).hexdigest()
