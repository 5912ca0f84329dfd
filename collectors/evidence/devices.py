"""What the evidence behind an attestation result says of the hardware: its trusted execution environments, its device.

Verifiers repeat the claims that they appraised: Veraison and Trustee under `ear.veraison.annotated-evidence`, Trustee
with one member for each kind of evidence. What is not said there is not known, and so never there.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from collectors.evidence import refusals
from collectors.evidence.ear_names import ANNOTATED, DEBUG
from collectors.evidence.refusals import RefusedError
from collectors.evidence.tcb import tcb_of
from policy.clauses import Tcb
from policy.findings import Place
from policy.words import shown

TEES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "snp": "sev-snp",
        "az-snp-vtpm": "sev-snp",
        "tdx": "tdx",
        "az-tdx-vtpm": "tdx",
        "sgx": "sgx",
        "cca": "cca",
        "csv": "csv",
        "se": "se",
    }
)
"""What Trustee calls evidence, and the environment that it is of."""
NVIDIA: Final = "nvidia"
_BESIDE: Final = frozenset({NVIDIA, "init_data", "init_data_claims", "report_data", "runtime_data_claims"})
"""What stands beside it there and is no environment: a device, and what the workload gave to be measured."""
DISABLED: Final = DEBUG[1:]
"""The values of `dbgstat` under which nobody debugs now."""


def check_environments(part: Mapping[str, Any], place: Place) -> None:
    """Raises RefusedError where an environment that is known stands there without its claims.

    Taken for none it would hide behind the claims of another one beside it.
    """
    evidence = part.get(ANNOTATED)
    for name, claims in sorted(evidence.items(), key=str) if isinstance(evidence, dict) else ():
        if name in TEES and not isinstance(claims, dict):
            raise RefusedError(refusals.malformed(place, f"{shown(name)} in `{ANNOTATED}` is no object of claims"))


def tees_of(part: Mapping[str, Any]) -> tuple[str, ...]:
    """The trusted execution environments that the evidence of a part is of.

    One that is not known, such as Trustee's `sample`, goes by the name that it has there, in quotes, so that no policy
    can ask for it: left out, it would hide behind the known one of another part.
    """
    return tuple(sorted({TEES.get(name) or shown(name) for name in _environments(part)}))


def tcbs_of(part: Mapping[str, Any]) -> tuple[Tcb, ...]:
    """How up to date each of these environments is."""
    return tuple(tcb_of(claims) for _, claims in sorted(_environments(part).items()))


def features_of(part: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Those of `secure-boot` and `debug-disabled` that a part shows; None where the part is no device.

    The part's own claims tell, or those of its NVIDIA evidence, or both, which then have to agree. Whatever has NVIDIA
    evidence, in whatever form, counts as a device, and so does what has no known trusted execution environment, also
    where nothing is said of it: a card of which the verifier is silent must not go unseen.
    """
    evidence = part.get(ANNOTATED)
    devices = [part] if "hwmodel" in part else []
    if isinstance(evidence, dict) and NVIDIA in evidence:
        devices.append(evidence[NVIDIA])
    if devices:
        return tuple(sorted(frozenset.intersection(*map(_features, devices))))
    return () if TEES.keys().isdisjoint(_environments(part)) else None


def _features(device: object) -> frozenset[str]:
    """What one device shows: nothing without its model. `secboot` is what RFC 9711 calls `oemboot`."""
    if not isinstance(device, dict) or "hwmodel" not in device:
        return frozenset()
    features = set()
    if isinstance(device.get("dbgstat"), str) and device["dbgstat"] in DISABLED:
        features.add("debug-disabled")
    boots = [device[name] for name in ("secboot", "oemboot") if name in device]
    if boots and all(each is True for each in boots):
        features.add("secure-boot")
    return frozenset(features)


def _environments(part: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The claims of its environments that are repeated, by what the evidence of each is called."""
    evidence = part.get(ANNOTATED)
    members = evidence.items() if isinstance(evidence, dict) else ()
    return {str(name): claims for name, claims in members if isinstance(claims, dict) and name not in _BESIDE}
