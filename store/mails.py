"""Mails as they came in, byte for byte, kept before anything tries to read them."""

import hashlib
from collections.abc import Collection

from sqlalchemy import text

from agent.ports import Clock
from store.codec import micros
from store.database import Database

_KEEP = text(
    "INSERT INTO raw_mail (key, provider, recipients, at, raw) VALUES (:key, :provider, :recipients, :at, :raw) "
    "ON CONFLICT DO NOTHING"
)


class Mails:
    """The raw mails of a database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database = database
        self.clock = clock

    async def keep(self, raw: bytes, provider: str, recipients: Collection[str]) -> str:
        """Keep it; the key under which it is found: the same for the same mail to the same recipients."""
        to = ",".join(sorted(each.lower() for each in recipients))
        key = hashlib.sha256(to.encode() + b"\0" + raw).hexdigest()
        values = {"key": key, "provider": provider, "recipients": to, "at": micros(self.clock.now()), "raw": raw}
        await self.database.write(lambda tx: tx.connection.execute(_KEEP, values).close())
        return key

    async def raw(self, key: str) -> bytes | None:
        """The mail as it came in."""
        statement = text("SELECT raw FROM raw_mail WHERE key = :key")
        value = await self.database.read(lambda c: c.execute(statement, {"key": key}).scalar_one_or_none())
        return bytes(value) if value is not None else None
