"""Until when the controller's own certificates hold: once one has ended no site can call in, and none is heard."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509

from controller.sites.hub.authority import KeysError, contents
from controller.sites.hub.catalogue import ending
from policy.findings import Finding

SOON: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Lifetime:
    """When the certificate in a file ends; of several the first, which is the one that is shown or certifies."""

    file: Path
    ends: datetime

    @classmethod
    def of(cls, file: Path) -> "Lifetime":
        """That of a file in PEM. Raises KeysError."""
        try:
            return cls(file, x509.load_pem_x509_certificate(contents(file)).not_valid_after_utc)
        except ValueError as error:
            raise KeysError(f"{file} is no certificate in PEM: `gridwright site keys` makes one") from error


def ending_soon(lifetimes: Iterable[Lifetime], now: datetime) -> Iterator[Finding]:
    """What to tell of those that have ended, or will within `SOON`."""
    for each in lifetimes:
        if each.ends - now <= SOON:
            yield ending(each.file.name, each.ends, now)
