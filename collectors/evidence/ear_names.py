"""One name for each claim of an attestation result, whichever draft it follows and however it is encoded.

In CBOR claims have numbers (RFC 8392, section 4; RFC 9711, section 10.3; draft-ietf-rats-ear and its AR4SI), and the
names in JSON that ended in `ear.…` until draft 03 begin with `ear_` since draft 04. Past here a claim goes by the older
name, which Veraison and Trustee write.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from collectors.evidence import refusals
from collectors.evidence.cbor import as_json
from collectors.evidence.refusals import RefusedError
from policy.findings import Place
from policy.words import shown

SUBMODS: Final = "submods"
STATUS: Final = "ear.status"
VECTOR: Final = "ear.trustworthiness-vector"
VERIFIER: Final = "ear.verifier-id"
ANNOTATED: Final = "ear.veraison.annotated-evidence"
ATTESTER: Final = "ear_attester_claims"
_JSON: Final = {
    "ear_status": STATUS,
    "ear_trustworthiness_vector": VECTOR,
    "ear_verifier_id": VERIFIER,
    ATTESTER: ANNOTATED,
}
_ATTESTER: Final = 1005
_CBOR: Final = {
    1: "iss",
    2: "sub",
    3: "aud",
    4: "exp",
    5: "nbf",
    6: "iat",
    7: "jti",
    10: "eat_nonce",
    259: "hwmodel",
    262: "oemboot",
    263: "dbgstat",
    265: "eat_profile",
    266: SUBMODS,
    1000: STATUS,
    1001: VECTOR,
    1004: VERIFIER,
    _ATTESTER: ANNOTATED,
    -70000: ANNOTATED,
}
_SPELT: Final = (*_CBOR.values(), *_JSON, "secboot")
"""The names of claims that have a number, in every draft: `secboot` became `oemboot`."""
_VERIFIERS: Final = {0: "developer", 1: "build"}
_VECTORS: Final = {
    0: "instance-identity",
    1: "configuration",
    2: "executables",
    3: "file-system",
    4: "hardware",
    5: "runtime-opaque",
    6: "storage-opaque",
    7: "sourced-data",
}
_STATUSES: Final = {0: "none", 2: "affirming", 32: "warning", 96: "contraindicated"}
DEBUG: Final = (
    "enabled",
    "disabled",
    "disabled-since-boot",
    "disabled-permanently",
    "disabled-fully-and-permanently",
)
"""The values of `dbgstat` (RFC 9711, section 4.2.9) by their numbers."""
Found = dict[Any, Any]


def of_json(claims: Found, place: Place) -> dict[str, Any]:
    """The claims of a JWT. Raises RefusedError where one stands there by two names."""
    return _whole(claims, lambda found: _of_json(found, place), place)


def of_cbor(claims: Found, place: Place) -> dict[str, Any]:
    """The claims of a CWT, without octets: they are in base64url. Raises RefusedError.

    A claim that has a number may not stand there by its name: it would be another claim to whoever wrote it.
    """
    return _whole(as_json(claims), lambda found: _numbered(found, place), place)


def _whole(claims: Found, named: Callable[[Found], Found], place: Place) -> Found:
    """The claims and those of each submodule, renamed."""
    found = named(claims)
    submods = found.get(SUBMODS)
    if isinstance(submods, dict):
        parts = {name: named(part) if isinstance(part, dict) else part for name, part in submods.items()}
        found[SUBMODS] = _renamed(parts, {}, place)
    return found


def _of_json(found: Found, place: Place) -> Found:
    attester = found.get(ATTESTER)
    named = _renamed(found, _JSON, place)
    return {**named, ANNOTATED: _by_environment(attester)} if ATTESTER in found else named


def _by_environment(attester: Any) -> Any:
    """What an attester claims, as its environment's claims by the environment's name: {"tee": "tdx", "claims": {}}.

    What stands beside them stays there. Where the name is taken, all stays as it is: none may hide the other.
    """
    if isinstance(attester, dict) and isinstance(attester.get("tee"), str) and "claims" in attester:
        beside = {name: value for name, value in attester.items() if name not in ("tee", "claims")}
        return attester if attester["tee"] in beside else {**beside, attester["tee"]: attester["claims"]}
    return attester


def _numbered(found: Found, place: Place) -> Found:
    named = _renamed(_unspelt(found, _SPELT, place), _CBOR, place)
    for claim, names in ((VERIFIER, _VERIFIERS), (VECTOR, _VECTORS)):
        if isinstance(named.get(claim), dict):
            named[claim] = _renamed(_unspelt(named[claim], names.values(), place), names, place)
    for claim, words in ((STATUS, _STATUSES), ("dbgstat", dict(enumerate(DEBUG)))):
        value = named.get(claim)
        if isinstance(value, int) and not isinstance(value, bool):
            named[claim] = words.get(value, value)
    return {**named, ANNOTATED: _by_environment(found[_ATTESTER])} if _ATTESTER in found else named


def _unspelt(found: Found, names: Iterable[str], place: Place) -> Found:
    """The claims, of which none goes by a name where it has a number. Raises RefusedError."""
    spelt = next((name for name in names if name in found), None)
    if spelt:
        raise RefusedError(refusals.malformed(place, f"{shown(spelt)} stands there as text, and has a number in CBOR"))
    return found


def _renamed(found: Found, names: Mapping[Any, str], place: Place) -> Found:
    """Each member by its name; by its number in digits where that has none here."""
    renamed = {names.get(key, str(key)): value for key, value in found.items()}
    if len(renamed) != len(found):
        raise RefusedError(refusals.malformed(place, "a claim stands there by two names"))
    return renamed
