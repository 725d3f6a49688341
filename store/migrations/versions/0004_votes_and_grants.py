"""Votes, plans and grants.

Revision: 0004, after 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Columns that older rows may leave at their defaults, and the grants."""
    op.add_column("approval", sa.Column("version", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("approval", sa.Column("noted_seq", sa.Integer(), nullable=True))
    op.add_column("approval", sa.Column("plan", sa.String(), nullable=True))
    op.create_index(
        "approval_plan",
        "approval",
        ["plan"],
        unique=False,
        postgresql_where=sa.text("plan IS NOT NULL"),
        sqlite_where=sa.text("plan IS NOT NULL"),
    )
    op.create_table(
        "grants",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("tool", sa.String(), nullable=False),
        sa.Column("thread_id", sa.String(), nullable=False),
        sa.Column("given_by", sa.String(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("uses", sa.Integer(), nullable=True),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("revoked_seq", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    for column in ("thread_id", "given_by"):
        op.create_index(f"ix_grants_{column}", "grants", [column], unique=False)
    op.create_index(
        "grants_standing",
        "grants",
        ["tool", "until"],
        unique=False,
        postgresql_where=sa.text("revoked_seq IS NULL"),
        sqlite_where=sa.text("revoked_seq IS NULL"),
    )


def downgrade() -> None:
    """Drop them; votes and grants stay in the log."""
    op.drop_table("grants")
    op.drop_index("approval_plan", "approval")
    for column in ("plan", "noted_seq", "version"):
        op.drop_column("approval", column)
