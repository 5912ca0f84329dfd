"""Where a journal is: a file of SQLite, or a database of PostgreSQL."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Database:
    """A database of PostgreSQL. `host` is a name, an address, or the folder of a socket, which begins with `/`.

    The password is the first line of its file, read anew for each connection; without a file none is told. With
    `is_tls` the server has to show a certificate of its name, by the authority of `ca_file` or else one that this
    system trusts.
    """

    host: str
    port: int
    name: str
    user: str
    password_file: Path | None = None
    ca_file: Path | None = None
    is_tls: bool = True

    def __str__(self) -> str:
        """Its address, in which no password stands."""
        return f"postgresql://{self.user}@{self.host}:{self.port}/{self.name}"


Place = Path | Database
"""A journal's file or its database; as text it tells a person which one it is."""
