"""Sites with agents: what lets them in, and the plan that each was given last."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the three tables."""
    for table, key in (("site_token", "digest"), ("site_certificate", "serial")):
        op.create_table(
            table,
            sa.Column(key, sa.Text, primary_key=True),
            sa.Column("site", sa.Text, nullable=False),
            sa.Column("ends_s", NUMBER, nullable=False),
            sqlite_strict=True,
            sqlite_with_rowid=False,
        )
    op.create_table(
        "site_plan",
        sa.Column("site", sa.Text, primary_key=True),
        sa.Column("generation", NUMBER, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
