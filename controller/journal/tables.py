"""What a journal's tables are, in SQLite and in PostgreSQL. `migrations` says how a journal comes to have them."""

from typing import Any, Final

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Integer, LargeBinary, MetaData, Table, Text

METADATA: Final = MetaData()
NUMBER: Final = BigInteger().with_variant(Integer, "sqlite")
STRICT: Final[dict[str, Any]] = {"sqlite_strict": True}
BY_KEY: Final[dict[str, Any]] = {"sqlite_strict": True, "sqlite_with_rowid": False}

ENTRY: Final = Table(
    "entry",
    METADATA,
    Column("sequence", NUMBER, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("decision", Text, nullable=False),
    Column("revision", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("previous", LargeBinary, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Index("entry_kind", "kind", "sequence"),
    **STRICT,
)
DOCUMENT: Final = Table(
    "document",
    METADATA,
    Column("digest", Text, primary_key=True),
    Column("text", LargeBinary, nullable=False),
    **BY_KEY,
)
USES: Final = Table(
    "uses",
    METADATA,
    Column("revision", Text, primary_key=True),
    Column("digest", Text, primary_key=True),
    **BY_KEY,
)
SERIES: Final = Table(
    "series",
    METADATA,
    Column("service", Text, primary_key=True),
    Column("origin", Text, primary_key=True),
    Column("interval_s", NUMBER, nullable=False),
    Column("seen", NUMBER, nullable=False),
    Column("until_s", NUMBER, nullable=False),
    Column("learnt", LargeBinary, nullable=False),
    **BY_KEY,
)
SERIES_PART: Final = Table(
    "series_part",
    METADATA,
    Column("service", Text, primary_key=True),
    Column("origin", Text, primary_key=True),
    Column("part", NUMBER, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
    **BY_KEY,
)
WRITER: Final = Table(
    "writer",
    METADATA,
    Column("id", NUMBER, CheckConstraint("id = 1", name="writer_is_one"), primary_key=True, autoincrement=False),
    Column("term", Text, nullable=False),
    **STRICT,
)
"""One row: the term of the controller that may write. Whoever opens the journal puts its own there."""
SITE_TOKEN: Final = Table(
    "site_token",
    METADATA,
    Column("digest", Text, primary_key=True),
    Column("site", Text, nullable=False),
    Column("ends_s", NUMBER, nullable=False),
    **BY_KEY,
)
"""What lets a site register, once."""
SITE_CERTIFICATE: Final = Table(
    "site_certificate",
    METADATA,
    Column("serial", Text, primary_key=True),
    Column("site", Text, nullable=False),
    Column("ends_s", NUMBER, nullable=False),
    **BY_KEY,
)
"""Certificates of sites that count."""
SITE_PLAN: Final = Table(
    "site_plan",
    METADATA,
    Column("site", Text, primary_key=True),
    Column("generation", NUMBER, nullable=False),
    Column("body", LargeBinary, nullable=False),
    **BY_KEY,
)
"""The newest plan of each site."""
