"""What a site may ask of the controller, always over TLS 1.3 and always by its own call.

| call | by | body | answer |
|---|---|---|---|
| POST `REGISTER` | nobody's certificate | `Enrolment` with its token | `Credentials` |
| POST `RENEW` | the site's certificate | `Enrolment` without a token | `Credentials` |
| GET `PLAN`?after=G&wait_s=S | the site's certificate | | a signed plan, or 204 if none above G comes in S seconds |
| PUT `REPORT` | the site's certificate | a packed report, `content-encoding: gzip` | 204 |

The certificate tells the site. What is refused has the status of HTTP and, as JSON, `detail`, which tells what to do.
"""

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote

REGISTER: Final = "/v1/register"
RENEW: Final = "/v1/renew"
PLAN: Final = "/v1/plan"
REPORT: Final = "/v1/report"
MOST_WAIT_S: Final = 60
_IDENTITY: Final = "spiffe://gridwright/site/"


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A request for a certificate: a PKCS #10 request in PEM, of which only the key counts.

    The first one is with a token that was given out for the site; each later one goes by the certificate before.
    """

    request: str
    token: str = ""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a site gets: its certificate, that of the authority, and the Ed25519 keys that sign plans; all in PEM."""

    site: str
    certificate: str
    authority: str
    plan_keys: tuple[str, ...]


def identity_of(site: str) -> str:
    """The URI that a site's certificate is for."""
    return f"{_IDENTITY}{quote(site, safe='')}"


def site_of(identity: str) -> str:
    """The site of such a URI; empty where it is none."""
    return unquote(identity.removeprefix(_IDENTITY)) if identity.startswith(_IDENTITY) else ""
