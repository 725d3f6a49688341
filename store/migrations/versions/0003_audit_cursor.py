"""How far standard output was told of the audit log: from now on, and not of what was before.

Revision: 0003, after 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table, and its one row."""
    op.create_table(
        "audit_cursor",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("lease_until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.execute(
        "INSERT INTO audit_cursor (name, event_id, lease_until) SELECT 'stdout', coalesce(max(id), 0), 0 FROM event"
    )


def downgrade() -> None:
    """Drop it; whoever comes back begins anew."""
    op.drop_table("audit_cursor")
