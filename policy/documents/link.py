"""Link: what lies between two sites."""

from typing import Literal

from pydantic import Field

from policy.documents.base import Bandwidth, DurationUs, Name, PricePerGib, Spec, Word
from policy.documents.encoding import AdmitsSpec


class LinkSpec(Spec):
    """The two sites, round-trip time and its scatter, bandwidth, protection, and the jurisdictions that it crosses.

    `egress` has by site what a GiB costs that leaves it over this link. `admits` tells in which encodings payloads may
    cross it.
    """

    between: list[Name] = Field(min_length=2, max_length=2)
    rtt: DurationUs
    jitter: DurationUs = 0
    bandwidth: Bandwidth
    encryption: Literal["none", "tls", "mtls"]
    transit: list[Word] = Field(min_length=1)
    egress: dict[Name, PricePerGib] = Field(default_factory=dict)
    admits: AdmitsSpec = AdmitsSpec()
