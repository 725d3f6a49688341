"""The example toolset: orders and refunds in a small SQLite file. Replace it with tools for your own systems.

What to copy from it: types and docstrings are what the model reads; `effect` and `needs_approval` say what may happen
without a person; `preview` shows the approver what would happen; and the work is done under the idempotency key of the
call, so that doing it twice does it once.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

from pydantic import Field, JsonValue

from agent.tool import ToolContext, tool

DATABASE = Path(__file__).with_name("orders.db")
"""Made, with three orders in it, when it is first used. Delete it to start anew."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS orders (
    order_id TEXT PRIMARY KEY, customer TEXT NOT NULL, email TEXT NOT NULL, item TEXT NOT NULL,
    total_cents INTEGER NOT NULL, currency TEXT NOT NULL, status TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS refunds (
    idempotency_key TEXT PRIMARY KEY, order_id TEXT NOT NULL REFERENCES orders, cents INTEGER NOT NULL,
    reason TEXT NOT NULL, approved_by TEXT NOT NULL
);
INSERT OR IGNORE INTO orders VALUES
    ('1042', 'Sam Poole', 'sam@customer.example', 'Aurora desk lamp', 4000, 'EUR', 'delivered'),
    ('1043', 'Mira Novak', 'mira@customer.example', 'Walnut bookshelf', 18950, 'EUR', 'delivered'),
    ('1044', 'Jonas Weber', 'jonas@customer.example', 'Linen curtain', 5900, 'EUR', 'delivered');
INSERT OR IGNORE INTO refunds VALUES ('seed-1044', '1044', 5900, 'Arrived torn', 'dana');
"""

Amount = Annotated[float, Field(gt=0, allow_inf_nan=False)]


@contextmanager
def _database() -> Iterator[sqlite3.Connection]:
    """One transaction: what is read in it is still true when it writes, whoever else is at work."""
    connection = sqlite3.connect(DATABASE, timeout=10, isolation_level=None)
    try:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA foreign_keys = ON")
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'refunds'").fetchone():
            connection.executescript("BEGIN IMMEDIATE;" + SCHEMA + "COMMIT;")
        connection.execute("BEGIN IMMEDIATE")
        yield connection
        connection.execute("COMMIT")
    finally:
        connection.close()


def _order(connection: sqlite3.Connection, order_id: str) -> dict[str, JsonValue]:
    number = order_id.strip().lstrip("#")
    row = connection.execute("SELECT * FROM orders WHERE order_id = ?", (number,)).fetchone()
    if row is None:
        raise LookupError(f"there is no order {number}")
    query = "SELECT coalesce(sum(cents), 0) FROM refunds WHERE order_id = ?"
    refunded = connection.execute(query, (number,)).fetchone()[0]
    return {
        "order_id": number,
        "customer": row["customer"],
        "email": row["email"],
        "item": row["item"],
        "total": row["total_cents"] / 100,
        "currency": row["currency"],
        "status": "refunded" if refunded >= row["total_cents"] else row["status"],
        "refunded": refunded / 100,
    }


def _remaining(order: dict[str, JsonValue]) -> int:
    return _cents(float(str(order["total"]))) - _cents(float(str(order["refunded"])))


def _cents(amount: float) -> int:
    """Raises ValueError for an amount that no coin adds up to."""
    cents = round(amount * 100)
    if abs(amount * 100 - cents) > 1e-6 * max(1, cents):  # what a float may be off by
        raise ValueError(f"{amount} has more than two decimals")
    return cents


def _money(cents: int, order: dict[str, JsonValue]) -> str:
    return f"{cents / 100:.2f} {order['currency']}"


def _refundable(order: dict[str, JsonValue], amount: float) -> int:
    """The amount in cents. Raises ValueError when it is more than what is left of the order."""
    cents, remaining = _cents(amount), _remaining(order)
    if cents > remaining:
        left = f"only {_money(remaining, order)} of it can be" if remaining else "it has been refunded in full already"
        raise ValueError(f"order {order['order_id']}: cannot refund {_money(cents, order)}; {left}")
    return cents


@tool(effect="read")
def lookup_order(order_id: str) -> dict[str, JsonValue]:
    """Look up an order: customer, item, total, status, and how much of it has been refunded.

    Args:
        order_id: The number of the order, for instance 1042.
    """
    with _database() as connection:
        return _order(connection, order_id)


def preview_refund(order_id: str, amount: float, reason: str) -> str:  # noqa: ARG001 - the card shows the reason already
    """What the approver reads: whose order, what for, and what would be left of it; or why it would fail."""
    try:
        with _database() as connection:
            order = _order(connection, order_id)
        cents = _refundable(order, amount)
    except (LookupError, ValueError) as error:
        return f"This would fail: {error}."
    return (
        f"Refund {_money(cents, order)} of {_money(_cents(float(str(order['total']))), order)} to {order['customer']} "
        f"({order['email']}) for {order['item']}, order {order['order_id']}. "
        f"{_money(_remaining(order) - cents, order)} of the order would remain."
    )


@tool(effect="write", idempotent=True, needs_approval=True, preview=preview_refund)
def refund_order(order_id: str, amount: Amount, reason: str, context: ToolContext) -> dict[str, JsonValue]:
    """Send money back to the customer of an order. Cannot be undone.

    Args:
        order_id: The number of the order, for instance 1042.
        amount: How much to refund, in the currency of the order; at most what has not been refunded yet.
        reason: Why, in a few words; the approver and the customer's record see it.
    """
    with _database() as connection:
        order = _order(connection, order_id)
        key = context.idempotency_key
        done = connection.execute("SELECT cents FROM refunds WHERE idempotency_key = ?", (key,)).fetchone()
        cents = done["cents"] if done else _refundable(order, amount)
        if not done:
            connection.execute(
                "INSERT INTO refunds VALUES (?, ?, ?, ?, ?)",
                (key, order["order_id"], cents, reason, context.approved_by),
            )
        after = _order(connection, order_id)
    return {**after, "refunded_now": cents / 100, "remaining": _remaining(after) / 100}
