"""The three shapes."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "value",
        sa.Column("shape", NAME, primary_key=True),
        sa.Column("owner", NAME, primary_key=True),
        sa.Column("value", sa.LargeBinary, nullable=False),
    )
    op.create_index("value_owner", "value", ["owner"])
    op.create_table(
        "entry",
        sa.Column("owner", NAME, primary_key=True),
        sa.Column("shape", NAME, primary_key=True),
        sa.Column("key", NAME, primary_key=True),
        sa.Column("value", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "record",
        sa.Column("id", ID, primary_key=True),
        sa.Column("owner", NAME, nullable=False),
        sa.Column("shape", NAME, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("value", sa.LargeBinary, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("record_owner", "record", ["owner", "shape", "id"])
