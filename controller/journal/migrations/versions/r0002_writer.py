"""Who may write. An earlier release, which knows nothing of it, still reads and writes such a file."""

import sqlalchemy as sa
from alembic import op

from controller.journal.migrations.versions.r0001_first import make_series

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table of the writer's term, and what a file of the first releases lacks."""
    make_series()
    op.create_table(
        "writer",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=False),
        sa.Column("term", sa.Text, nullable=False),
        sa.CheckConstraint("id = 1", name="writer_is_one"),
        sqlite_strict=True,
    )
