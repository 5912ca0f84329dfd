"""in-toto statements (version 1) about artefacts: how they were built, signatures of models, and what models remove."""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from collectors.evidence import refusals
from collectors.evidence.envelope import Unwrapped, unwrap
from collectors.evidence.jws import once
from collectors.evidence.records import ARTEFACT, FOREVER, UNDATED, Evidence
from collectors.evidence.refusals import RefusedError
from collectors.evidence.scope import check_not_revoked, check_standard
from collectors.evidence.span import SKEW
from policy.clauses import DATA_REMOVAL, MODEL_SIGNATURE, SLSA
from policy.data_flow import NO_DATA, Data, data
from policy.documents.base import is_word
from policy.findings import Finding, Place
from policy.resolved import Issuer
from policy.units import instant_utc
from policy.words import shown

PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
STATEMENT: Final = "https://in-toto.io/Statement/v1"
_SHA256: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_LEVEL: Final = re.compile(r"SLSA_BUILD_LEVEL_([0-4])", re.ASCII)
_BUILT: Final = 1
"""The level of signed provenance by itself: which one a builder reaches, only a verifier can tell."""
_REMOVAL: Final = frozenset({"classes", "subjects", "evaluatedOn"})
"""The members of a removal. Another could take back what these say, so none is passed over."""


@dataclass(frozen=True, slots=True)
class _Said:
    """What is said of which artefacts, in which version of the standard; when, where the statement tells."""

    standard: str
    level: int
    digests: set[str]
    at: datetime | None
    removes: Data = NO_DATA


def vouched(
    text: str, issuers: Sequence[Issuer], now: datetime, place: Place, skew: timedelta = SKEW
) -> tuple[Evidence, ...] | Finding:
    """What a signed statement says of the policy's artefacts, or the finding that tells why it does not count.

    Each of its signers says it for itself: the statement is refused, for the first one's reason, where none may.
    """
    found: list[Evidence] = []
    refused: list[Finding] = []
    try:
        unwrapped = unwrap(text, issuers, place)
    except RefusedError as unfit:
        return unfit.finding
    for issuer in unwrapped.signers:
        try:
            found += _vouched_by(issuer, unwrapped, now, place, skew)
        except RefusedError as unfit:
            refused.append(unfit.finding)
    return tuple(found) if found else refused[0]


def check_statement(payload: bytes, place: Place, now: datetime) -> None:
    """Raises RefusedError for a statement that would count for nothing at `now`, whoever signs it."""
    said = _said(_statement(Unwrapped((), PAYLOAD_TYPE, payload), place), place)
    _check_not_to_come(said.at, now, SKEW, place)


def _vouched_by(
    issuer: Issuer, unwrapped: Unwrapped, now: datetime, place: Place, skew: timedelta
) -> tuple[Evidence, ...]:
    mark = unwrapped.digest
    check_not_revoked(issuer, "statement", (f"sha256:{mark}",), place)
    said = _said(_statement(unwrapped, place), place)
    check_not_revoked(issuer, "artefact", said.digests, place)
    check_standard(said.standard, issuer, place)
    return _evidence(said, issuer, _span(said.at, issuer, now, skew, place), place, mark)


def _said(statement: dict[str, Any], place: Place) -> _Said:
    predicate, digests = _mapping(statement, "predicate", place), _subjects(statement, place)
    match statement.get("predicateType"):
        case "https://slsa.dev/verification_summary/v1":
            return _Said(SLSA, _verified_level(predicate, place), digests, _dated(predicate, "timeVerified", place))
        case "https://slsa.dev/provenance/v1":
            return _Said(SLSA, _BUILT, digests, _finished(predicate, place))
        case "https://model_signing/signature/v1.0":
            return _Said(MODEL_SIGNATURE, 1, digests | _resources(digests, predicate, place), None)
        case "https://gridwright.dev/data-removal/v1":
            at = _dated(predicate, "evaluatedOn", place)
            return _Said(DATA_REMOVAL, 1, digests, at, _removed(predicate, place))
        case other:
            raise RefusedError(refusals.unknown_predicate(place, other))


def _evidence(
    said: _Said, issuer: Issuer, span: tuple[datetime, datetime], place: Place, mark: str
) -> tuple[Evidence, ...]:
    known = sorted(said.digests.intersection(issuer.digests))
    if not known:
        raise RefusedError(refusals.no_artefact(place, issuer))
    return tuple(
        Evidence(
            id=f"{issuer.name}/{mark[:16]}/{each.removeprefix('sha256:')[:16]}",
            subject_kind=ARTEFACT,
            subject=each,
            standard=said.standard,
            version=(said.level,),
            issuer=issuer.iss,
            issued_at=span[0],
            expires_at=span[1],
            place=place,
            digest=mark,
            removes=tuple(sorted(said.removes)),
        )
        for each in known
    )


def _statement(unwrapped: Unwrapped, place: Place) -> dict[str, Any]:
    if unwrapped.payload_type != PAYLOAD_TYPE:
        raise RefusedError(refusals.no_envelope(place, f"its `payloadType` is not {PAYLOAD_TYPE}"))
    try:
        found = json.loads(unwrapped.payload, object_pairs_hook=once)
    except (ValueError, RecursionError) as trouble:
        raise RefusedError(refusals.no_statement(place, "it is not JSON, or a name stands twice in it")) from trouble
    if not isinstance(found, dict) or found.get("_type") != STATEMENT:
        raise RefusedError(refusals.no_statement(place, f"its `_type` is not {STATEMENT}"))
    return found


def _subjects(statement: dict[str, Any], place: Place) -> set[str]:
    subjects = statement.get("subject")
    if not isinstance(subjects, list) or not subjects:
        raise RefusedError(refusals.no_statement(place, "`subject` is no list with an artefact in it"))
    found = set()
    for subject in subjects:
        value = subject.get("digest") if isinstance(subject, dict) else None
        hexed = value.get("sha256") if isinstance(value, dict) else None
        if not isinstance(hexed, str) or not _SHA256.fullmatch(hexed):
            raise RefusedError(refusals.no_statement(place, "a subject has no digest `sha256`"))
        found.add(f"sha256:{hexed}")
    return found


def _resources(subjects: set[str], predicate: dict[str, Any], place: Place) -> set[str]:
    """The files of a signed model. Their digests in a row are digested to the subject's, or the statement is a fake."""
    resources = predicate.get("resources")
    found = [each.get("digest") for each in resources if isinstance(each, dict)] if isinstance(resources, list) else []
    hexed = [each for each in found if isinstance(each, str) and _SHA256.fullmatch(each)]
    if not hexed or len(hexed) != len(resources or ()):
        raise RefusedError(refusals.no_statement(place, "a resource of the model has no digest of SHA-256"))
    whole = hashlib.sha256(b"".join(map(bytes.fromhex, hexed))).hexdigest()
    if subjects != {f"sha256:{whole}"}:
        raise RefusedError(refusals.other_resources(place))
    return {f"sha256:{each}" for each in hexed}


def _removed(predicate: dict[str, Any], place: Place) -> Data:
    strange = next((name for name in predicate if name not in _REMOVAL), None)
    if strange is not None:
        raise RefusedError(refusals.no_statement(place, f"{shown(strange)} is no member of a removal"))
    words = {name: predicate.get(name, []) for name in ("classes", "subjects")}
    for name, found in words.items():
        if not isinstance(found, list) or not all(isinstance(each, str) and is_word(each) for each in found):
            raise RefusedError(refusals.no_statement(place, f"`{name}` is no list of words"))
    if not any(words.values()):
        raise RefusedError(refusals.no_statement(place, "it names neither `classes` nor `subjects`"))
    return data(words["classes"], words["subjects"])


def _verified_level(predicate: dict[str, Any], place: Place) -> int:
    if predicate.get("verificationResult") != "PASSED":
        raise RefusedError(refusals.not_passed(place, predicate.get("verificationResult")))
    levels = predicate.get("verifiedLevels")
    found = [_LEVEL.fullmatch(each) for each in levels if isinstance(each, str)] if isinstance(levels, list) else []
    reached = [int(each[1]) for each in found if each]
    if not reached:
        raise RefusedError(refusals.no_level(place))
    return max(reached)


def _finished(predicate: dict[str, Any], place: Place) -> datetime | None:
    details = _mapping(predicate, "runDetails", place)
    metadata = details.get("metadata", {})
    if not isinstance(metadata, dict) or "finishedOn" not in metadata:
        return None
    return _dated(metadata, "finishedOn", place)


def _dated(found: dict[str, Any], name: str, place: Place) -> datetime:
    if name not in found:
        raise RefusedError(refusals.no_statement(place, f"`{name}` is missing"))
    try:
        return instant_utc(str(found.get(name)))
    except ValueError as trouble:
        raise RefusedError(refusals.no_statement(place, f"`{name}` is no date and time with its offset")) from trouble


def _span(
    at: datetime | None, issuer: Issuer, now: datetime, skew: timedelta, place: Place
) -> tuple[datetime, datetime]:
    if at is None:
        if issuer.max_age_s:
            raise RefusedError(refusals.no_statement(place, "it has no date, and its Issuer has a `maxAge`"))
        return UNDATED, FOREVER
    _check_not_to_come(at, now, skew, place)
    ends = min(at + timedelta(seconds=issuer.max_age_s), FOREVER) if issuer.max_age_s else FOREVER
    if ends <= now - skew:
        raise RefusedError(refusals.too_old(place, at, issuer))
    return at, ends


def _check_not_to_come(at: datetime | None, now: datetime, skew: timedelta, place: Place) -> None:
    if at is not None and at > now + skew:
        raise RefusedError(refusals.from_the_future(place, at, skew))


def _mapping(found: dict[str, Any], name: str, place: Place) -> dict[str, Any]:
    value = found.get(name)
    if not isinstance(value, dict):
        raise RefusedError(refusals.no_statement(place, f"there is no object `{name}`"))
    return value
