"""Whose Home tab in Slack is kept up to date: a row for each that was opened, and what it shows.

A row says up to which event the tab was made from, so that any process can tell that it lags behind, and a digest of
what is shown, so that what is the same is not published again. A tab that nobody opened for long is left alone until
it is opened.
"""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text

from agent.ports import Clock
from store.codec import micros
from store.database import Database, Tx

LEASE = 20 * 1_000_000
"""Microseconds that a process is given to publish one."""
REFRESH = timedelta(minutes=1)
"""After this long a tab is made anew though nothing happened: time ends approvals and grants, too."""
KEPT = timedelta(days=30)
"""How long a tab is kept up to date after it was last opened."""

_OPENED = text(
    "INSERT INTO slack_home (team_id, user_id, opened_at, seen, shown, again_at, not_before, lease_until) "
    "VALUES (:team, :user, :now, 0, '', 0, 0, 0) "
    "ON CONFLICT (team_id, user_id) DO UPDATE SET opened_at = :now, shown = '', again_at = 0, not_before = 0"
)
_FORGOTTEN = text("DELETE FROM slack_home WHERE opened_at <= :since")
_ANY = text("SELECT EXISTS (SELECT 1 FROM slack_home)")
_DUE = text(
    "SELECT team_id, user_id FROM slack_home WHERE not_before <= :now AND opened_at > :since "
    "AND (seen < :settled OR again_at <= :now) ORDER BY not_before, team_id, user_id LIMIT :limit"
)
_LOOKED = text(
    "UPDATE slack_home SET seen = :seen, shown = :shown, again_at = :again, lease_until = 0 "
    "WHERE team_id = :team AND user_id = :user"
)
_LATER = text("UPDATE slack_home SET not_before = :until, lease_until = 0 WHERE team_id = :team AND user_id = :user")


@dataclass(frozen=True, slots=True)
class Home:
    """One person's tab."""

    team: str
    user: str


class Homes:
    """The tabs of a database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database = database
        self.clock = clock
        self._claim = text(
            f"UPDATE slack_home SET lease_until = {database.now} + {LEASE} "
            f"WHERE team_id = :team AND user_id = :user AND lease_until <= {database.now} RETURNING shown"
        )

    async def opened(self, home: Home) -> None:
        """Somebody looks at it: it is to be published anew, and kept up to date from now on."""
        now = self.clock.now()
        values = {"team": home.team, "user": home.user, "now": micros(now), "since": micros(now - KEPT)}

        def work(tx: Tx) -> None:
            tx.connection.execute(_FORGOTTEN, {"since": values["since"]})
            tx.connection.execute(_OPENED, values)

        await self.database.write(work)

    async def any(self) -> bool:
        """Whether any was ever opened."""
        return bool(await self.database.read(lambda c: c.execute(_ANY).scalar()))

    async def due(self, settled: int, limit: int = 50) -> list[Home]:
        """Those that were made from fewer events than this number, or too long ago."""
        now = self.clock.now()
        values = {"now": micros(now), "since": micros(now - KEPT), "settled": settled, "limit": limit}
        rows = await self.database.read(lambda c: c.execute(_DUE, values).all())
        return [Home(team, user) for team, user in rows]

    async def claim(self, home: Home) -> str | None:
        """Take on publishing it; the digest of what it shows. None when another process has."""
        values = {"team": home.team, "user": home.user}
        return await self.database.write(lambda tx: tx.connection.execute(self._claim, values).scalar_one_or_none())

    async def looked(self, home: Home, seen: int, shown: str) -> None:
        """It shows what the log said up to that event."""
        again = micros(self.clock.now() + REFRESH)
        values = {"team": home.team, "user": home.user, "seen": seen, "shown": shown, "again": again}
        await self.database.write(lambda tx: tx.connection.execute(_LOOKED, values).close())

    async def later(self, home: Home, seconds: float) -> None:
        """It could not be published; look again then."""
        until = micros(self.clock.now()) + int(seconds * 1_000_000)
        values = {"team": home.team, "user": home.user, "until": until}
        await self.database.write(lambda tx: tx.connection.execute(_LATER, values).close())
