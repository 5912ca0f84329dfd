"""Evidence from files: signed statements or YAML documents. What cannot be read gives no permission."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography.x509 import CertificateRevocationList

from collectors.evidence import refusals
from collectors.evidence.artefact import vouched
from collectors.evidence.document import claims_in
from collectors.evidence.ear import Appraisal, evidence_in
from collectors.evidence.records import Evidence
from collectors.evidence.revocations import LABEL, Revocations, revocations
from collectors.evidence.span import SKEW
from collectors.evidence.svid import named
from collectors.evidence.verify import verify
from collectors.snapshot import Snapshot
from policy.catalogue import error
from policy.clauses import WARNING
from policy.findings import Finding, Level, Place
from policy.folder import SUFFIXES, Content, names_not_read, read_octets, read_texts
from policy.resolved import Issuer
from policy.source import in_order

NOWHERE: Final = Place("", 1, 1)
TEXT_TOKENS: Final = (".jwt",)
"""How the names of files end that hold one signed statement or attestation result each, in JSON."""
CBOR_TOKENS: Final = (".cwt",)
"""Those of the same in CBOR."""
ENVELOPES: Final = (".sig", ".sigstore", ".sigstore.json", ".dsse", ".jsonl")
"""Those of files that hold one envelope or bundle each, about artefacts."""
CHAINS: Final = (".pem", ".crt")
"""Those of certificates, each with the authorities between it and the root behind it."""
LISTS: Final = (".crl",)
"""Those of lists of revoked certificates."""
SIGNED: Final = (*TEXT_TOKENS, *CBOR_TOKENS, *ENVELOPES, *CHAINS, *LISTS)
READ: Final = (*SUFFIXES, *SIGNED)


def read_evidence(
    folder: Path, issuers: Sequence[Issuer], now: datetime
) -> tuple[tuple[Evidence, ...], tuple[Finding, ...]]:
    """What the files under a folder give at `now`, and what is wrong with them.

    No folder means no evidence. Statements count when one of the issuers signed them, from their begin on, which may be
    still to come; documents, which nobody signed, count while there is no issuer.
    """
    documents, wrong = read_documents(folder)
    statements, refused = _statements(folder, issuers, now)
    artefacts, unfit = _artefacts(folder, issuers, now)
    strays = [_place(folder, name) for name in names_not_read(folder, READ)]
    certificates, unnamed = _certificates(folder, issuers, now, strays)
    if issuers:
        wrong = (*wrong, *(refusals.unsigned(document.place) for document in documents))
        documents = ()
    signed = (*statements, *artefacts, *certificates)
    to_come = [refusals.not_yet(each.place, each.issued_at) for each in signed if each.issued_at > now + SKEW]
    warned = [refusals.warned(each.place) for each in signed if each.attestation and each.attestation.tier == WARNING]
    unread = [refusals.not_read(place, READ) for place in strays]
    once_each = dict.fromkeys((*wrong, *refused, *unfit, *unnamed, *to_come, *warned, *unread))
    return (*documents, *signed), in_order(once_each)


def read_documents(folder: Path) -> tuple[tuple[Evidence, ...], tuple[Finding, ...]]:
    """The claims of the unsigned documents under a folder, and what is wrong with the files.

    A file with an error in it gives none, and neither do claims of the same name.
    """
    texts, findings = _texts(folder)
    found: list[Evidence] = []
    for name, text in texts:
        claims, wrong = claims_in(f"{folder.name}/{name}", text)
        findings += wrong
        found += [] if any(finding.level is Level.ERROR for finding in wrong) else claims
    counted, doubled = _parted(found)
    for claim in (claim for claims in doubled for claim in claims):
        message = f"there is more than one piece of evidence named `{claim.id}`, so none of them counts"
        findings.append(error("GW0402", claim.place, message, "give each its own name"))
    return counted, in_order(findings)


def _statements(
    folder: Path, issuers: Sequence[Issuer], now: datetime
) -> tuple[tuple[Evidence, ...], tuple[Finding, ...]]:
    """What the signed statements under a folder give. The same contents in two files are one statement."""
    texts, findings = _texts(folder, TEXT_TOKENS)
    octets, unread = _read(folder, lambda: read_octets(folder, CBOR_TOKENS))
    findings += unread
    tokens: dict[str, str | bytes] = {name: text.rstrip("\r\n") for name, text in texts}
    tokens |= dict(octets)
    found: dict[Evidence, Evidence] = {}
    for name, token in sorted(tokens.items()):
        judged = _proved(verify(token, issuers, now, _place(folder, name)))
        if isinstance(judged, Finding):
            findings.append(judged)
        else:
            contents = replace(judged, digest="", place=NOWHERE)  # under two keys they have two digests
            found.setdefault(contents, judged)
    counted, doubled = _parted(found.values())
    for first, *others in doubled:
        number = first.id.partition("/")[2]
        findings.append(refusals.replayed(first.place, number, others[0].place))
        findings += (refusals.replayed(other.place, number, first.place) for other in others)
    return counted, tuple(findings)


def _artefacts(
    folder: Path, issuers: Sequence[Issuer], now: datetime
) -> tuple[tuple[Evidence, ...], tuple[Finding, ...]]:
    """What signed statements say of the policy's artefacts."""
    texts, findings = _texts(folder, ENVELOPES)
    judged = (vouched(text, issuers, now, _place(folder, name)) for name, text in texts)
    return _counted(judged, findings)


def _certificates(
    folder: Path, issuers: Sequence[Issuer], now: datetime, strays: Sequence[Place]
) -> tuple[tuple[Evidence, ...], tuple[Finding, ...]]:
    """Whom certificates name, without those that lists beside them revoke, or may revoke."""
    known, findings = _revocations(folder)
    texts, unread = _texts(folder, CHAINS)
    chains = [(text, _place(folder, name)) for name, text in texts]
    elsewhere = (*strays, *(each.place or NOWHERE for each in unread), *(place for _, place in chains))
    lost = [place for place in elsewhere if _is_named_a_list(place)]
    lost += [place for text, place in chains if LABEL in text]
    known = replace(known, unread=(*known.unread, *lost))
    judged = (named(text, issuers, known, now, place) for text, place in chains)
    return _counted(((each,) if isinstance(each, Evidence) else each for each in judged), [*findings, *unread])


def _revocations(folder: Path) -> tuple[Revocations, list[Finding]]:
    """The lists of revoked certificates. One that cannot be read is no reason to believe that it is empty."""
    texts, findings = _texts(folder, LISTS)
    lists: list[CertificateRevocationList] = []
    for name, text in texts:
        found = revocations(text, _place(folder, name))
        if isinstance(found, Finding):
            findings.append(found)
        else:
            lists += found
    return Revocations(tuple(lists), tuple(each.place or NOWHERE for each in findings)), findings


def _is_named_a_list(place: Place) -> bool:
    """Whether the file of another kind is called as a list is, in whatever letters: r.CRL, r.crl.pem."""
    name = Path(place.file.lower())
    return name.suffix in LISTS or Path(name.stem).suffix in LISTS


def _counted(
    judged: Iterable[tuple[Evidence, ...] | Finding], findings: list[Finding]
) -> tuple[tuple[Evidence, ...], tuple[Finding, ...]]:
    """Those that count, once where the same that an issuer signed lies there twice; and all findings."""
    found: dict[tuple[str, str, str], Evidence] = {}
    for said in judged:
        if isinstance(said, Finding):
            findings.append(said)
        else:
            for each in said:
                found.setdefault((each.issuer, each.digest, each.subject), each)
    return tuple(found.values()), tuple(findings)


def _proved(judged: Evidence | Appraisal | Finding) -> Evidence | Finding:
    if isinstance(judged, Appraisal):
        return evidence_in(judged) or refusals.unbound(judged.place)
    return judged


def _texts(folder: Path, suffixes: tuple[str, ...] = SUFFIXES) -> tuple[list[tuple[str, str]], list[Finding]]:
    return _read(folder, lambda: read_texts(folder, suffixes=suffixes))


def _read(
    folder: Path, read: Callable[[], tuple[list[tuple[str, Content]], list[Finding]]]
) -> tuple[list[tuple[str, Content]], list[Finding]]:
    """The files of the folder, and those that cannot be read, at places seen from the policy."""
    try:
        is_there = folder.is_dir()
    except OSError as trouble:
        message = f"the evidence cannot be read: {trouble.strerror}"
        return [], [error("GW0106", Place(folder.name, 1, 1), message, "check the permissions of the folders above it")]
    if not is_there:
        return [], []
    contents, findings = read()
    return contents, [_seen_from_above(folder.name, finding) for finding in findings]


def _place(folder: Path, name: str) -> Place:
    return Place(f"{folder.name}/{name}", 1, 1)


def _seen_from_above(name: str, finding: Finding) -> Finding:
    place = finding.place
    if place is None or place.file == name:
        return finding
    return replace(finding, place=replace(place, file=f"{name}/{place.file}"))


def _parted(found: Iterable[Evidence]) -> tuple[tuple[Evidence, ...], list[list[Evidence]]]:
    """Those whose id is theirs alone, and the others by their ids."""
    by_id: defaultdict[str, list[Evidence]] = defaultdict(list)
    for claim in found:
        by_id[claim.id].append(claim)
    alone = (claims[0] for claims in by_id.values() if len(claims) == 1)
    return tuple(alone), [claims for claims in by_id.values() if len(claims) > 1]


class EvidenceFiles:
    """The collector of a folder of evidence files, read and verified anew each time.

    `issuers` tells whose signatures count now. Without a folder there is no evidence.
    """

    name = "evidence"

    def __init__(self, folder: Path | None, issuers: Callable[[], Sequence[Issuer]]) -> None:
        self._folder = folder
        self._issuers = issuers

    async def collect(self, now: datetime) -> Snapshot:
        """All claims of documents, whether or not they hold now, and of statements those that do or will."""
        if self._folder is None:
            return Snapshot(now)
        evidence, findings = read_evidence(self._folder, self._issuers(), now)
        return Snapshot(now, evidence=evidence, findings=findings)
