"""What somebody says of the sites, links and models of a generated fleet."""

from dataclasses import replace
from datetime import timedelta

from whole_places import HERE, NOW

from collectors.evidence.records import ARTEFACT, Attestation, Evidence
from policy.clauses import (
    ENCRYPTED_AT_REST,
    SLSA,
)
from policy.resolved import (
    Encryption,
    Link,
    Model,
)


def evidence_of(site: str, number: int) -> list[Evidence]:
    """Three sites of four hold each standard that is asked for, and one of nine what must not be held.

    Those that hold what is asked of health data are attested, all but one of eleven. All but one of five encrypt what
    they store.
    """
    start, end = NOW - timedelta(days=30), NOW + timedelta(days=300)
    held = [standard for at, standard in enumerate(("pci-dss", "hds")) if (number + at) % 4]
    held += ["open-access"] if number % 9 == 4 else []  # noqa: PLR2004
    held += [ENCRYPTED_AT_REST] if number % 5 != 2 else []  # noqa: PLR2004
    said = Evidence("", "site", site, "", (4, 0), "auditor", start, end, HERE)
    found = [replace(said, id=f"{standard}-{site}", standard=standard) for standard in held]
    if "hds" in held and number % 11 != 7:  # noqa: PLR2004
        result = Attestation("verifier", ("tdx",), ("hardware",), (), start)
        found.append(replace(said, id=f"attested-{site}", standard="attestation", attestation=result))
    return found


def proof_of(link: Link, number: int) -> list[Evidence]:
    """Somebody vouches for the mutual TLS of all links that have it but one of fifteen."""
    start, end = NOW - timedelta(days=30), NOW + timedelta(days=300)
    if link.encryption is not Encryption.MTLS or number % 15 == 7:  # noqa: PLR2004
        return []
    return [Evidence(f"mtls-{link.name}", "link", link.name, "mtls", (1, 3), "auditor", start, end, HERE)]


def provenance_of(model: Model) -> list[Evidence]:
    """Where a model has a light variant, how the full one was built nobody could tell for one model of seven."""
    start, end = NOW - timedelta(days=30), NOW + timedelta(days=300)
    doubtful = len(model.variants) > 1 and int(model.name[1:]) % 7 == 3  # noqa: PLR2004
    return [
        Evidence(f"slsa-{each.digest}", ARTEFACT, each.digest, SLSA, (3,), "auditor", start, end, HERE)
        for each in model.variants[doubtful:]
    ]
