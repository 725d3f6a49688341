"""Procrastinate's tables, on PostgreSQL; nothing on SQLite.

Revision: 0002, after 0001
"""

from alembic import op

from store import procrastinate_schema

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Whatever the installed Procrastinate needs; `store.schema` keeps it up to date with later ones."""
    if op.get_bind().dialect.name == "postgresql":
        procrastinate_schema.install(op.get_bind())


def downgrade() -> None:
    """Drop them; their rows are disposable."""
    if op.get_bind().dialect.name == "postgresql":
        procrastinate_schema.remove(op.get_bind())
