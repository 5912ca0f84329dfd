"""How up to date the trusted execution environments of a part are, as the evidence that its verifier repeats tells."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from policy.clauses import Tcb

STATUS: Final = "tcb_status"
"""Intel's word on the level that a trust domain or an enclave was launched at."""
VERSIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "bootloader": "reported_tcb_bootloader",
        "tee": "reported_tcb_tee",
        "snp": "reported_tcb_snp",
        "microcode": "reported_tcb_microcode",
    }
)
"""The security versions of AMD's reported TCB, by what policies call them."""
_OCTET: Final = range(256)


def tcb_of(claims: Mapping[str, Any]) -> Tcb:
    """What the claims of one environment tell. What is no text, or no octet, is not told."""
    status = claims.get(STATUS)
    found = {name: claims.get(claim) for name, claim in VERSIONS.items()}
    versions = ((name, value) for name, value in found.items() if type(value) is int and value in _OCTET)
    return Tcb(status if isinstance(status, str) else "", tuple(versions))
