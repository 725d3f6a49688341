"""Who has had a say in what.

Revision: 0005, after 0004
"""

import json

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The table, and in it what the log says by now."""
    say = op.create_table(
        "say",
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("approval_id", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("person", "approval_id"),
    )
    kinds = "'approval_voted', 'approval_amended', 'approval_decided'"
    rows = op.get_bind().execute(sa.text(f"SELECT at, body FROM event WHERE kind IN ({kinds}) ORDER BY id"))
    found = {}
    for at, text in rows:
        body = json.loads(text)
        if person := (body.get("by") or {}).get("person"):
            found[person, body["approval_id"]] = at
    values = [{"person": person, "approval_id": each, "at": at} for (person, each), at in found.items()]
    if values:
        op.bulk_insert(say, values)


def downgrade() -> None:
    """Drop it; what was said stays in the log."""
    op.drop_table("say")
