"""A PostgreSQL that keeps the journal."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from controller.connections.addresses import HIGHEST_PORT, Document, is_loopback
from controller.journal.place import Database


class DatabaseConnection(Document):
    """A PostgreSQL that keeps the journal. `host` may be the folder of its socket; files are relative to the document.

    Without TLS it is on this machine.
    """

    host: Annotated[str, Field(min_length=1)]
    port: Annotated[int, Field(ge=1, le=HIGHEST_PORT)] = 5432
    name: Annotated[str, Field(min_length=1)] = "gridwright"
    user: Annotated[str, Field(min_length=1)] = "gridwright"
    password_file: Path | None = None
    ca_file: Path | None = None
    sslmode: Literal["verify-full", "disable"] = "verify-full"

    @property
    def address(self) -> str | None:
        """Its host and port; None for a socket."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return None if self.host.startswith("/") else f"{host}:{self.port}"

    def database(self) -> Database:
        """What keeps the journal."""
        files = (self.password_file, self.ca_file)
        return Database(self.host, self.port, self.name, self.user, *files, is_tls=self.sslmode == "verify-full")

    @model_validator(mode="after")
    def _in_the_clear(self) -> Self:
        if self.sslmode == "disable" and self.address is not None and not is_loopback(self.address):
            raise ValueError(f"{self.host} would get what is kept in the clear: use sslmode: verify-full")
        return self
