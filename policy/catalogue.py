"""Every finding that reading policy and evidence may make: its stable id and its title. docs/findings.md explains each.

GW01xx come from files and YAML, GW02xx from single documents, GW03xx from documents together, GW04xx from evidence,
from GW0460 on from repositories.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from policy.findings import Finding, Level, Place

TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "GW0101": "a text is not YAML",
        "GW0102": "there is more than is read",
        "GW0103": "a key stands twice",
        "GW0104": "a file begins with a byte order mark",
        "GW0105": "an anchor, an alias or a tag is used",
        "GW0106": "a file or folder cannot be read",
        "GW0107": "a file or its name is not UTF-8",
        "GW0108": "a folder holds no policy",
        "GW0201": "a document is not one of the known kinds",
        "GW0202": "a field is not known",
        "GW0203": "a field is missing",
        "GW0204": "a value is not what its field takes",
        "GW0301": "the same thing is declared twice",
        "GW0302": "a name leads nowhere",
        "GW0303": "stages wait for each other",
        "GW0304": "the shares of a service's origins do not add up",
        "GW0305": "numbers contradict each other",
        "GW0306": "a ComplianceProfile covers no service",
        "GW0307": "a service has no latency objective",
        "GW0308": "a kind that a fleet has once is declared twice",
        "GW0309": "no Service is declared",
        "GW0310": "a link joins a site with itself",
        "GW0311": "a degrade step can have no effect",
        "GW0312": "a stage's model can run on no pool",
        "GW0313": "nothing lies in a jurisdiction",
        "GW0330": "a latency objective is shorter than the way",
        "GW0331": "a bound is of a model that no stage calls",
        "GW0332": "a limit is of a site without pools",
        "GW0333": "a ceiling does not pay for one node",
        "GW0334": "a word of `appliesTo` covers nothing",
        "GW0335": "no Issuer may certify a standard",
        "GW0340": "evidence ends soon",
        "GW0350": "a tier loosens a clause of one above it",
        "GW0351": "a value is beyond a limit of its tier or of one above it",
        "GW0352": "a tier asks for what one above it forbids, or forbids what that asks for",
        "GW0353": "a service is of no team",
        "GW0354": "no service is of a team",
        "GW0360": "a variable is not declared",
        "GW0361": "a variable is not used",
        "GW0362": "a variable has no value for an environment",
        "GW0363": "no environment is chosen",
        "GW0364": "no variable has a value for an environment",
        "GW0370": "a bundle is not the one that was reviewed",
        "GW0371": "there is no such bundle",
        "GW0372": "a bundle is not included",
        "GW0380": "a price is of a site that the link does not join",
        "GW0395": "an OpenSLO objective is read and not kept",
        "GW0396": "an OpenSLO objective of our own source cannot be kept",
        "GW0397": "an objective cannot be said in OpenSLO",
        "GW0375": "a test shares a file with documents in force",
        "GW0376": "a test expects nothing",
        "GW0377": "what a test adds is no document",
        "GW0378": "an expectation has nothing to compare with",
        "GW0401": "evidence ends before it begins",
        "GW0402": "two pieces of evidence have the same name",
        "GW0403": "evidence is not signed where an Issuer is declared",
        "GW0404": "a statement is of an unknown issuer",
        "GW0405": "a statement is signed with an unknown key",
        "GW0406": "an algorithm or a key is weak or not allowed",
        "GW0407": "a signature does not fit",
        "GW0408": "a statement has ended",
        "GW0409": "a statement does not hold yet",
        "GW0410": "a statement was issued in the future",
        "GW0411": "a statement is too old",
        "GW0412": "a statement is for another audience",
        "GW0413": "an issuer may not speak of a subject",
        "GW0414": "an issuer may not make a claim",
        "GW0415": "two statements have the same number",
        "GW0416": "a statement is malformed",
        "GW0417": "an attestation result is better than its claims",
        "GW0418": "an attestation result does not affirm a part",
        "GW0419": "an attestation result names no site and no pool",
        "GW0460": "a repository cannot be read",
        "GW0461": "a repository has no such branch, tag or folder",
        "GW0462": "a commit is not signed by an allowed signer",
        "GW0463": "a commit does not follow the one in force",
        "GW0464": "a repository's folder holds what is no plain file",
        "GW0465": "a repository's folder holds more than is read",
        "GW0466": "a commit has errors",
        "GW0420": "no Issuer may give the attestation that is asked for",
        "GW0421": "no Issuer may vouch for models or links as it is asked",
        "GW0422": "a signed statement about a model is malformed",
        "GW0423": "no key of an Issuer fits a signature",
        "GW0424": "an in-toto statement is malformed",
        "GW0425": "a statement's predicate is not read",
        "GW0426": "a verifier did not pass a model",
        "GW0427": "a verification summary has no build level",
        "GW0428": "a model's signature is not of the files that it lists",
        "GW0429": "a statement is of no variant that the issuer may speak of",
        "GW0430": "a statement is revoked",
        "GW0431": "a file of certificates cannot be read",
        "GW0432": "a chain is not that of an X.509-SVID",
        "GW0433": "a certificate is of an unknown trust domain",
        "GW0434": "no chain leads to a root",
        "GW0435": "a SPIFFE ID is of no site and no pool",
        "GW0436": "a certificate is revoked",
        "GW0437": "whether a certificate is revoked is not known",
        "GW0438": "a root cannot be used",
        "GW0440": "nothing may serve a stage once evidence ends",
        "GW0441": "a file among the evidence is not read",
    }
)


def error(finding_id: str, place: Place, message: str, hint: str) -> Finding:
    """A finding that forbids using what it is about."""
    return Finding(finding_id, Level.ERROR, message, hint, place)


def warning(finding_id: str, place: Place, message: str, hint: str) -> Finding:
    """A finding that a person should look at; what it is about is used all the same."""
    return Finding(finding_id, Level.WARNING, message, hint, place)
