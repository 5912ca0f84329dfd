"""The tables as they were before there were steps. A file of that time is told to be here already."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make all of them."""
    op.create_table(
        "entry",
        sa.Column("sequence", NUMBER, primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("kind", "decision", "revision")),
        *(sa.Column(name, sa.LargeBinary, nullable=False) for name in ("body", "previous", "digest")),
        sqlite_strict=True,
    )
    op.create_index("entry_kind", "entry", ["kind", "sequence"])
    op.create_table(
        "document",
        sa.Column("digest", sa.Text, primary_key=True),
        sa.Column("text", sa.LargeBinary, nullable=False),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "uses",
        sa.Column("revision", sa.Text, primary_key=True),
        sa.Column("digest", sa.Text, primary_key=True),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    make_series()


def make_series() -> None:
    """Make those of what forecasts go by: a file from before forecasts were kept lacks them."""
    op.create_table(
        "series",
        sa.Column("service", sa.Text, primary_key=True),
        sa.Column("origin", sa.Text, primary_key=True),
        *(sa.Column(name, NUMBER, nullable=False) for name in ("interval_s", "seen", "until_s")),
        sa.Column("learnt", sa.LargeBinary, nullable=False),
        sqlite_strict=True,
        sqlite_with_rowid=False,
        if_not_exists=True,
    )
    op.create_table(
        "series_part",
        sa.Column("service", sa.Text, primary_key=True),
        sa.Column("origin", sa.Text, primary_key=True),
        sa.Column("part", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sqlite_strict=True,
        sqlite_with_rowid=False,
        if_not_exists=True,
    )
